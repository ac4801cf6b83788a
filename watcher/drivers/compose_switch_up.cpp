#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <string_view>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "watcher/drivers/compose_names.hpp"
#include "watcher/drivers/compose_switch.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/journal/files.hpp"
#include "watcher/steps/command.hpp"

// The command that switches, and what is done where somebody else works on the same containers.

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t output_kept_max = 512 * 1024;  // bytes of each `up`
constexpr std::size_t last_words_max = 1024;         // bytes

// What Docker says where another command removed, made or replaced the same container.
bool is_collision(const std::string& said) {
  constexpr std::array<std::string_view, 5> words{"is already in progress", "is already in use by container",
                                                  "No such container", "is marked for removal", "dead or marked"};
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string_view one) { return said.find(one) != said.npos; });
}

void take_output(probes::ChildResult& child, const std::string& file) {
  std::string said = read_whole(file).value_or(std::string()) + child.output;
  child.stderr_end = said.substr(said.size() - std::min(said.size(), last_words_max));
  child.output_dropped += static_cast<std::int64_t>(said.size() - std::min(said.size(), output_kept_max));
  said.resize(std::min(said.size(), output_kept_max));
  child.output = std::move(said);
}

}  // namespace

std::vector<std::string> ComposeSwitch::command_up() const {
  std::vector<std::string> argv = tool_.argv;
  const ComposeDriver& config = runner_.config();
  argv.insert(argv.end(), {"-f", "-"});
  const std::string project = before_.project.empty() ? config.project : before_.project;
  if (!project.empty()) argv.insert(argv.end(), {"-p", project});
  std::string dir = before_.working_dir;
  if (dir.empty() && !config.files.empty()) dir = std::filesystem::path(config.files.front()).parent_path().string();
  argv.insert(argv.end(), {"--project-directory", dir.empty() ? config.dir : dir});
  for (const std::string& profile : config.profiles) argv.insert(argv.end(), {"--profile", profile});
  return argv;
}

// What the services need runs already: with --no-deps nothing of it is made anew by accident.
std::vector<std::string> ComposeSwitch::arguments_up() const {
  std::vector<std::string> out{"up", "--detach", "--no-deps", "--no-build"};
  // For Compose itself what shares may be what it was, though the container that it names is another.
  if (!sharers_.runs.empty()) out.emplace_back("--force-recreate");
  for (const auto* const all : {&before_.runs, &sharers_.runs}) {
    for (const auto& [service, runs] : *all) {
      if (runs.count > 1) out.insert(out.end(), {"--scale", service + "=" + std::to_string(runs.count)});
    }
  }
  const std::vector<std::string>& services = runner_.config().services;
  out.insert(out.end(), services.begin(), services.end());
  for (const auto& one : sharers_.runs) out.push_back(one.first);
  return out;
}

// What it prints goes into a file: a pipe's reader may be killed, and then its next word would end it in the middle.
asio::awaitable<ComposeSwitch::MaybeTrouble> ComposeSwitch::up(std::string document, rules::Duration limit) {
  std::vector<std::string> argv = command_up();
  const std::vector<std::string> arguments = arguments_up();
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::vector<std::string> into_file{"sh", "-c", "exec \"$@\" 2>&1", "sh"};
  into_file.insert(into_file.end(), argv.begin(), argv.end());
  probes::ChildSpec spec = runner_.changing(std::move(into_file), std::move(document), limit);
  spec.stdout_file = memory_.file().beside(service_ + ".up.log");
  probes::ChildSpec given = spec;
  given.argv = argv;
  probes::ChildResult child = co_await run_trusted(std::move(spec));
  take_output(child, given.stdout_file);
  result_.output += "$ " + shown(argv) + "\n" + child.output;
  result_.output_dropped += child.output_dropped;
  collided_ = is_collision(child.output);
  if (child.end == probes::ChildEnd::exited && !result_.exit_code) result_.exit_code = child.exit_code;
  if (ended_well(child)) co_return MaybeTrouble();
  co_return runner_.error_of(given, child);
}

// Waits until nobody works on the containers any more; what runs then.
asio::awaitable<ComposeLook> ComposeSwitch::settled() {
  constexpr rules::Duration pause = std::chrono::milliseconds(500);
  constexpr int quiet_looks = 3;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  std::string seen;
  ComposeLook look;
  for (int quiet = 0; quiet < quiet_looks && left() > rules::Duration::zero();) {
    timer.expires_after(pause);
    co_await timer.async_wait(as_result);
    const bool called_off = co_await probes::cancelled();
    if (called_off) break;
    std::vector<std::string> services = runner_.config().services;
    look = co_await look_at_project(runner_, std::move(services));
    std::string now_so = look.error;
    for (const ComposeContainer& one : look.containers) now_so += "\n" + one.id + one.status + one.started;
    quiet = now_so == seen ? quiet + 1 : 0;
    seen = std::move(now_so);
  }
  co_return look;
}

// Whether that runs which neither ran before nor is the target: somebody else has deployed it.
bool ComposeSwitch::is_of_others(const ComposeLook& look) const {
  return std::any_of(look.runs.begin(), look.runs.end(), [&](const auto& one) {
    const auto wanted = target_.images.find(one.first);
    if (wanted != target_.images.end() && wanted->second.image == one.second.image) return false;
    const auto left = before_.runs.find(one.first);
    return left == before_.runs.end() || left->second.image != one.second.image ||
           left->second.configured != one.second.configured;
  });
}

// Whoever sees the trouble types `docker compose up` as well. Then each gets in the other's way, and what fails says
// nothing of the target: it is the same switch that is gone on with.
asio::awaitable<ComposeSwitch::MaybeTrouble> ComposeSwitch::up_unless_in_the_way() {
  constexpr int tries = 4;
  MaybeTrouble trouble = co_await up(to_document_, left());
  for (int i = 1; i < tries && trouble && collided_; ++i) {
    const ComposeLook look = co_await settled();
    const bool called_off = co_await probes::cancelled();
    if (called_off || left() <= rules::Duration::zero()) co_return trouble;
    if (is_of_others(look)) {
      overtaken_ = true;
      trouble->what += "\nSomebody else deployed " + look.revision + " meanwhile; nothing was put back against it";
      co_return trouble;
    }
    result_.output += "Somebody else worked on the same containers; the same is done again\n";
    trouble = co_await up(to_document_, left());
  }
  co_return trouble;
}

}  // namespace watcher
