#include "watcher/drivers/systemd_driver.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <filesystem>
#include <utility>

#include "watcher/drivers/ourselves.hpp"
#include "watcher/drivers/systemd_evidence.hpp"
#include "watcher/drivers/systemd_switch.hpp"

namespace watcher {

namespace {

constexpr std::size_t releases_max = 1000;  // that names are looked for among

class Releases final : public Driver {
 public:
  Releases(rules::ServiceName service, SystemdDriver config, const std::string& state_dir, const probes::Clock& clock)
      : service_(std::move(service)),
        config_(with_units(std::move(config), service_)),
        clock_(clock),
        runner_(config_, {}),
        file_(state_dir, service_.text),
        notes_(file_.read()),
        memory_(notes_.known) {}

  asio::awaitable<rules::RevisionRead> identify() override;
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) override;
  asio::awaitable<rules::ReadinessRead> still_ready(std::optional<rules::Revision> to) override;
  asio::awaitable<NameMeans> meaning_of(std::string name) override;
  asio::awaitable<std::vector<EvidenceCommand>> evidence() override;
  std::vector<std::string> secrets() const override { return systemd_secrets(units_); }
  asio::awaitable<rules::StepResult> switch_to(SwitchRequest request) override;
  std::string aftermath() const override;

 private:
  static SystemdDriver with_units(SystemdDriver config, const rules::ServiceName& service);
  std::string unfinished(const SystemdLook& look);
  asio::awaitable<std::string> why_not_ready(std::optional<rules::Revision> to);

  rules::ServiceName service_;
  SystemdDriver config_;
  const probes::Clock& clock_;
  SystemdRunner runner_;
  SystemdNotesFile file_;
  SystemdNotes notes_;
  SystemdMemory memory_;
  std::vector<SystemdUnit> units_;  // as they were seen last
  std::string differed_;            // what the last look saw linked, but not running
};

SystemdDriver Releases::with_units(SystemdDriver config, const rules::ServiceName& service) {
  if (config.units.empty()) config.units.push_back(service.text + ".service");
  return config;
}

asio::awaitable<rules::RevisionRead> Releases::identify() {
  rules::RevisionRead read;
  read.service = service_;
  read.started = clock_.now();
  read.by = "the link " + config_.link + " and where the processes of " + config_.units.front() + " run";
  read.error = runner_.why_not_started();
  if (read.error.empty()) {
    SystemdLook look = co_await look_at_units(runner_, memory_);
    read.error = look.error;
    read.instances_differ = look.differ;
    read.stopped = look.stopped;
    read.instance_absent = look.absent || !look.stopped.empty();
    if (read.error.empty()) read.revision = rules::Revision(look.revision);
    read.unfinished = unfinished(look);
    if (!look.units.empty()) units_ = std::move(look.units);
  }
  read.ended = clock_.now();
  co_return read;
}

// A deployment changes the link a moment before it restarts the unit: one look that sees it between says nothing.
std::string Releases::unfinished(const SystemdLook& look) {
  const bool differs = !look.revision.empty() && look.revision != look.link.release;
  const std::string now = differs ? look.link.release : look.behind;
  const std::string before = std::exchange(differed_, now);
  const bool is_ours = notes_.switching_to == look.link.release;
  if (now.empty() || (!is_ours && before != now)) return {};
  if (!differs) return now;
  return config_.link + " points to " + look.link.release + ", but " + look.revision + " runs; do systemctl restart " +
         config_.units.front() + ", or put the link back: ln -sfn " + link_text_for(look.link.text, look.revision) +
         " " + config_.link;
}

asio::awaitable<std::string> Releases::why_not_ready(std::optional<rules::Revision> to) {
  std::string refused = why_unsafe_target(to);
  if (refused.empty()) refused = runner_.why_not_started();
  if (refused.empty()) refused = why_own_units(config_.units);
  if (!refused.empty()) co_return refused;
  const ReleaseLink link = read_release_link(config_);
  if (!link.error.empty()) co_return link.error;
  const SystemdUnits answer = co_await runner_.show();
  if (const auto* const error = std::get_if<SystemdError>(&answer)) co_return error->what;
  const auto& units = std::get<std::vector<SystemdUnit>>(answer);
  co_return why_no_switch(config_, units, to.value_or(rules::Revision()).text);
}

asio::awaitable<rules::ReadinessRead> Releases::ready(std::optional<rules::Revision> to) {
  std::string refused = co_await why_not_ready(std::move(to));
  co_return readiness_of(service_, std::move(refused), clock_.now());
}

// The watcher's own look: it writes down what is known.
asio::awaitable<rules::ReadinessRead> Releases::still_ready(std::optional<rules::Revision> to) {
  if (notes_.switching_to.empty() && notes_.known != memory_) {
    notes_.known = memory_;
    file_.write(notes_);
  }
  co_return co_await ready(std::move(to));
}

// The name of a folder, or the beginning of one alone.
asio::awaitable<NameMeans> Releases::meaning_of(std::string name) {
  NameMeans out;
  out.knows_names = true;
  std::error_code failure;
  std::filesystem::directory_iterator at(releases_of(config_), failure);
  std::size_t count = 0;
  for (; !failure && at != std::filesystem::directory_iterator() && count < releases_max; at.increment(failure)) {
    ++count;
    const std::string release = at->path().filename().string();
    if (!release.starts_with(name) || !why_no_release(config_, release).empty()) continue;
    if (release == name) out.meant.clear();
    const bool is_exact_known = !out.meant.empty() && out.meant.front().text == name;
    if (!is_exact_known) out.meant.emplace_back(release);
  }
  std::sort(out.meant.begin(), out.meant.end());
  if (out.meant.empty()) out.why_none = "there is no release of that name in " + releases_of(config_);
  co_return out;
}

asio::awaitable<std::vector<EvidenceCommand>> Releases::evidence() {
  std::vector<EvidenceCommand> commands = systemd_evidence(runner_, units_);
  co_return commands;
}

asio::awaitable<rules::StepResult> Releases::switch_to(SwitchRequest request) {
  // When it is called off in the middle, what runs still has to be left in order.
  co_await asio::this_coro::throw_if_cancelled(false);
  rules::StepResult result;
  result.nothing_begun = true;
  result.detail = why_own_units(config_.units);
  if (!result.detail.empty()) co_return result;
  const SystemdRunner runner(config_, request.started);
  SystemdSwitch work(runner, file_, notes_, memory_, clock_, std::move(request));
  co_return co_await work.run();
}

std::string Releases::aftermath() const {
  std::string text;
  for (const std::string& line : notes_.aftermath) text += line + "\n";
  return text;
}

}  // namespace

std::unique_ptr<Driver> make_systemd_driver(const rules::ServiceName& service, const SystemdDriver& config,
                                            const std::string& state_dir, const probes::Clock& clock) {
  return std::make_unique<Releases>(service, config, state_dir, clock);
}

}  // namespace watcher
