#include "watcher/drivers/systemd_identity.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>
#include <variant>

#include "watcher/clock.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/systemd_stops.hpp"
#include "watcher/drivers/trusted_child.hpp"

namespace watcher {

namespace {

constexpr std::size_t processes_max = 256;  // of a unit, that are looked at
constexpr std::array<const char*, 2> shown_by{"/cwd", "/exe"};

std::string link_of(pid_t process, const char* which) { return "/proc/" + std::to_string(process) + which; }

// With the second hierarchy alone, or with the first beside it.
std::vector<pid_t> processes_of(const SystemdUnit& unit) {
  std::set<pid_t> out;
  if (unit.main_pid > 0) out.insert(unit.main_pid);
  if (unit.control_group.empty()) return {out.begin(), out.end()};
  for (const char* const root : {"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"}) {
    std::ifstream file(root + unit.control_group + "/cgroup.procs");
    pid_t process = 0;
    while (out.size() < processes_max && file >> process) out.insert(process);
  }
  return {out.begin(), out.end()};
}

// Who owns a process may look at it where we, with few capabilities, may not.
asio::awaitable<std::set<std::string>> seen_by_owners(std::vector<pid_t> processes, std::string releases) {
  std::map<std::string, std::vector<std::string>> links;
  for (const pid_t process : processes) {
    struct stat found {};
    if (::stat(link_of(process, "").c_str(), &found) != 0) continue;
    const std::string owner = account_of(found.st_uid);
    if (owner.empty()) continue;
    for (const char* const which : shown_by) links[owner].push_back(link_of(process, which));
  }
  std::set<std::string> out;
  for (const auto& [owner, theirs] : links) {
    probes::ChildSpec spec;
    spec.argv = {"readlink", "--"};
    spec.argv.insert(spec.argv.end(), theirs.begin(), theirs.end());
    spec.user = owner;
    spec.limit = systemd_question_limit;
    const probes::ChildResult child = co_await run_trusted(std::move(spec));
    std::string_view lines = child.output_stdout;
    while (!lines.empty()) {
      const std::string line(lines.substr(0, lines.find('\n')));
      lines.remove_prefix(std::min(line.size() + 1, lines.size()));
      const std::string release = release_in(line, releases);
      if (!release.empty()) out.insert(release);
    }
  }
  co_return out;
}

std::string listed(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " and ") + name;
  return out;
}

const SystemdKnown* known(const SystemdMemory& memory, const SystemdUnit& unit) {
  const auto found = memory.find(unit.name);
  return found != memory.end() && found->second.state == unit.state ? &found->second : nullptr;
}

// That they agree. One that does not run says nothing of what the others do.
void agree(SystemdLook& look, const SystemdUnit& unit, const UnitRuns& runs) {
  if (runs.absent) {
    if (look.behind.empty() && !unit.is_oneshot) look.behind = runs.error + "; do systemctl start " + unit.name;
    if (look.error_if_none.empty()) look.error_if_none = runs.error;
    return;
  }
  if (look.error.empty()) {
    look.error = runs.error;
    look.differ = runs.differ;
  }
  const bool differs = !look.revision.empty() && !runs.release.empty() && look.revision != runs.release;
  if (differs && look.error.empty()) {
    look.differ = true;
    look.error = look.said_by + " runs from " + look.revision + ", but " + unit.name + " from " + runs.release +
                 "; once it is known which of them is to run, have the link lead there, and then restart them all: " +
                 "what is restarted runs what it leads to";
  }
  if (look.revision.empty() && !runs.release.empty()) {
    look.revision = runs.release;
    look.said_by = unit.name;
  }
}

// Why all of them are stopped, for people; empty: not all are.
std::string why_all_stopped(const SystemdLook& look, const std::optional<UnitStories>& stories,
                            const std::vector<std::string>& of_release) {
  std::string first;
  for (const SystemdUnit& unit : look.units) {
    const std::string why = why_stopped(unit, stories, look.link.changed_at, of_release);
    if (why.empty()) return {};
    if (first.empty()) first = why;
  }
  return first;
}

}  // namespace

ReleasesSeen releases_seen(const SystemdUnit& unit, const std::string& releases) {
  ReleasesSeen out;
  for (const pid_t process : processes_of(unit)) {
    bool refused = false;
    for (const char* const which : shown_by) {
      std::error_code failure;
      const std::string path = std::filesystem::read_symlink(link_of(process, which), failure).string();
      refused = refused || failure == std::errc::permission_denied;
      const std::string release = release_in(path, releases);
      if (!failure && !release.empty()) out.releases.insert(release);
    }
    if (refused) out.unseen.push_back(process);
  }
  return out;
}

UnitRuns unit_runs(const SystemdUnit& unit, const ReleaseLink& link, const ReleasesSeen& seen,
                   const SystemdMemory& memory, rules::Instant tried) {
  // The kernel's times of files are so coarse.
  constexpr rules::Duration coarse = std::chrono::milliseconds(10);
  if (seen.releases.size() > 1)
    return {{}, "processes of " + unit.name + " run from " + listed(seen.releases) + "; do restart it", false, true};
  if (!seen.releases.empty()) return {*seen.releases.begin(), {}, false};
  if (const SystemdKnown* const before = known(memory, unit)) return {before->release, {}, false};
  const bool was_started = unit.started > rules::Duration::zero();
  if (was_started && wall_time_of(unit.started) >= link.changed_at + coarse) return {link.release, {}, false};
  const bool is_down = !unit.runs() && unit.main_pid == 0;
  const bool was_looked_at = unit.looked_at > rules::Duration::zero();
  if (was_looked_at) tried = std::max(tried, wall_time_of(unit.looked_at));
  if (is_down && tried >= link.changed_at + coarse) return {link.release, {}, false};
  if (is_down) return {{}, unit.name + " has not been started since the link was changed to " + link.release, true};
  std::string unseen = unit.name + " was started before the link was changed to " + link.release +
                       ", and its processes do not show where they run; do systemctl restart " + unit.name;
  // It may have been reloaded: a rollback would go past what ran until then.
  const auto before = memory.find(unit.name);
  if (before != memory.end() && before->second.release != link.release)
    unseen += ", or, to go back to " + before->second.release + ", which ran before, put the link back to it first";
  return {{}, std::move(unseen), false};
}

asio::awaitable<SystemdLook> look_at_units(const SystemdRunner& runner, SystemdMemory& memory) {
  SystemdLook look;
  SystemdUnits answer = co_await runner.show();
  look.link = read_release_link(runner.config());
  if (const auto* const error = std::get_if<SystemdError>(&answer)) {
    look.error = error->what;
    co_return look;
  }
  look.units = std::get<std::vector<SystemdUnit>>(std::move(answer));
  std::optional<UnitStories> stories = co_await read_stories(runner, look.units);
  const std::string releases = releases_of(runner.config());
  for (SystemdUnit& unit : look.units) {
    if (unit.was_passed_over) unit.unmet = co_await runner.unmet(unit.name);
  }
  std::vector<std::string> of_release(1, releases);
  of_release.push_back(runner.config().link);
  look.stopped = why_all_stopped(look, stories, of_release);
  look.error = look.link.error;
  for (const SystemdUnit& unit : look.units) {
    const bool is_refused = unit.load == "not-found" || (unit.load == "bad-setting" && !unit.runs());
    if (look.error.empty() && is_refused) look.error = why_no_start(unit);
    if (!look.error.empty()) break;
    ReleasesSeen seen = releases_seen(unit, releases);
    const bool is_new = known(memory, unit) == nullptr;
    if (is_new && seen.releases.empty() && !seen.unseen.empty())
      seen.releases = co_await seen_by_owners(seen.unseen, releases);
    const rules::Instant tried = stories ? (*stories)[unit.name].tried : rules::Instant();
    const UnitRuns runs = unit_runs(unit, look.link, seen, memory, tried);
    if (!runs.release.empty()) memory[unit.name] = {unit.state, runs.release};
    agree(look, unit, runs);
  }
  look.absent = look.error.empty() && look.revision.empty() && !look.error_if_none.empty();
  if (look.absent) look.error = look.error_if_none;
  if (!look.error.empty()) look.revision.clear();
  if (look.revision.empty()) look.behind.clear();
  co_return look;
}

}  // namespace watcher
