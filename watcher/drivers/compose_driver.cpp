#include "watcher/drivers/compose_driver.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>
#include <variant>

#include "watcher/drivers/compose_evidence.hpp"
#include "watcher/drivers/compose_memory.hpp"
#include "watcher/drivers/compose_names.hpp"
#include "watcher/drivers/compose_reading.hpp"
#include "watcher/drivers/compose_runner.hpp"
#include "watcher/drivers/compose_sharers.hpp"
#include "watcher/drivers/compose_switch.hpp"

namespace watcher {

namespace {

class ComposeProject final : public Driver {
 public:
  ComposeProject(rules::ServiceName service, const ComposeDriver& config, const std::string& state_dir,
                 const probes::Clock& clock)
      : service_(std::move(service)),
        config_(with_services(config, service_)),
        clock_(clock),
        runner_(config_, {}),
        memory_(state_dir, service_.text, config_, clock) {}

  asio::awaitable<rules::RevisionRead> identify() override;
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) override;
  asio::awaitable<rules::ReadinessRead> still_ready(std::optional<rules::Revision> to) override;
  asio::awaitable<NameMeans> meaning_of(std::string name) override;
  asio::awaitable<std::vector<std::string>> taken_back(rules::Revision from, rules::Revision to,
                                                       std::size_t most) override;
  asio::awaitable<std::vector<EvidenceCommand>> evidence() override;
  std::vector<std::string> secrets() const override;
  asio::awaitable<rules::StepResult> switch_to(SwitchRequest request) override;
  std::string aftermath() const override;

 private:
  static ComposeDriver with_services(ComposeDriver config, const rules::ServiceName& service);
  asio::awaitable<rules::ReadinessRead> readiness(std::optional<rules::Revision> to);
  asio::awaitable<std::string> why_not_ready(std::optional<rules::Revision> to);
  asio::awaitable<std::string> why_no_tool();
  asio::awaitable<std::string> why_no_daemon();
  asio::awaitable<std::string> why_no_services();

  rules::ServiceName service_;
  ComposeDriver config_;
  const probes::Clock& clock_;
  ComposeRunner runner_;
  ComposeMemory memory_;
  std::optional<ComposeTool> tool_;
  ComposeLook look_;  // the last that saw what runs
  // That Compose can read its files is asked no oftener than that it takes a hundredth of the time.
  rules::Instant files_again_at_;
  bool switching_ = false;
};

ComposeDriver ComposeProject::with_services(ComposeDriver config, const rules::ServiceName& service) {
  if (config.services.empty()) config.services.push_back(service.text);
  return config;
}

asio::awaitable<rules::RevisionRead> ComposeProject::identify() {
  rules::RevisionRead read;
  read.service = service_;
  read.started = clock_.now();
  read.by = "the images and settings of the project's containers, from `docker inspect`";
  read.error = runner_.why_not_started();
  if (read.error.empty()) {
    std::vector<std::string> services = config_.services;
    ComposeLook look = co_await look_at_project(runner_, std::move(services));
    read.error = look.error;
    read.instances_differ = look.differ;
    // Where none was ever seen there is nothing that somebody could have removed.
    const bool was_there =
        !look_.revision.empty() || (memory_.records() != nullptr && !memory_.records()->records.empty());
    if (was_there || !look.absent) read.stopped = look.stopped;
    read.instance_absent = look.absent || !read.stopped.empty();
    if (read.error.empty()) {
      read.revision = rules::Revision(look.revision);
      read.label = compose_label(look.runs);
      if (look.made_by != look_.made_by) tool_.reset();
      look_ = std::move(look);
    }
  }
  read.ended = clock_.now();
  co_return read;
}

asio::awaitable<std::string> ComposeProject::why_no_tool() {
  if (tool_) co_return std::string();
  ComposeToolFound found = co_await runner_.find_tool(look_.made_by);
  if (const auto* const error = std::get_if<ComposeError>(&found)) co_return error->what;
  tool_ = std::get<ComposeTool>(std::move(found));
  co_return std::string();
}

asio::awaitable<std::string> ComposeProject::why_no_daemon() {
  std::vector<std::string> question{"version", "--format", "{{.Server.Version}}"};
  const ComposeAnswer answer = co_await runner_.docker(std::move(question), docker_question_limit);
  const auto* const error = std::get_if<ComposeError>(&answer);
  if (error == nullptr) co_return std::string();
  co_return error->what;
}

asio::awaitable<std::string> ComposeProject::why_no_services() {
  constexpr int part = 100;  // of the time
  const rules::Instant before = clock_.now();
  if (before < files_again_at_) co_return std::string();
  // Somebody else's question may have had it looked for anew meanwhile.
  const std::string no_tool = co_await why_no_tool();
  if (!no_tool.empty()) co_return no_tool;
  std::vector<std::string> question{"config", "--services"};
  const ComposeAnswer answer = co_await runner_.compose(*tool_, look_.project, std::move(question));
  if (const auto* const error = std::get_if<ComposeError>(&answer)) {
    tool_.reset();
    co_return error->what;
  }
  const std::string listed = "\n" + std::get<std::string>(answer) + "\n";
  for (const std::string& service : config_.services) {
    if (listed.find("\n" + service + "\n") == std::string::npos) {
      co_return "the project in " + config_.dir + " has no service \"" + service +
          "\"; do correct `compose_service`, or say its `profiles`";
    }
  }
  const rules::Instant after = clock_.now();
  files_again_at_ = after + part * (after - before);
  co_return std::string();
}

asio::awaitable<std::string> ComposeProject::why_not_ready(std::optional<rules::Revision> to) {
  std::string refused = runner_.why_not_started();
  if (refused.empty()) refused = runner_.why_no_files();
  if (refused.empty() && memory_.records() == nullptr) refused = memory_.why_unreadable();
  if (refused.empty()) refused = why_own_container(look_);
  if (refused.empty()) refused = co_await why_no_tool();
  if (!refused.empty()) co_return refused;
  if (to) {
    const ComposeRecord* const record = memory_.records()->find(*to);
    refused = why_no_target(*memory_.records(), *to, config_);
    if (!refused.empty() || record == nullptr) co_return refused;
    const ComposeRecord target = *record;
    refused = co_await why_no_images(runner_, target);
    if (!refused.empty()) co_return refused;
    const ComposeRecords records = *memory_.records();
    refused = co_await why_cut_off(runner_, look_, records, *to);
  } else {
    refused = co_await why_no_daemon();
  }
  if (!refused.empty()) co_return refused;
  co_return co_await why_no_services();
}

asio::awaitable<rules::ReadinessRead> ComposeProject::readiness(std::optional<rules::Revision> to) {
  std::string refused = why_unsafe_target(to);
  if (refused.empty()) refused = co_await why_not_ready(std::move(to));
  co_return readiness_of(service_, std::move(refused), clock_.now());
}

// Changes nothing: who looks whether it would work writes nothing down.
asio::awaitable<rules::ReadinessRead> ComposeProject::ready(std::optional<rules::Revision> to) {
  files_again_at_ = rules::Instant();
  tool_.reset();
  co_return co_await readiness(std::move(to));
}

// The watcher's own look: it notes what runs.
asio::awaitable<rules::ReadinessRead> ComposeProject::still_ready(std::optional<rules::Revision> to) {
  if (!switching_ && !look_.revision.empty() && runner_.why_not_started().empty()) {
    const std::string no_tool = co_await why_no_tool();
    if (no_tool.empty()) co_await memory_.note(runner_, *tool_, look_, to.value_or(rules::Revision()));
  }
  co_return co_await readiness(std::move(to));
}

asio::awaitable<NameMeans> ComposeProject::meaning_of(std::string name) {
  NameMeans out;
  out.knows_names = true;
  out.why_none = memory_.why_unreadable();
  const ComposeRecords* const records = memory_.records();
  if (records != nullptr) out = revisions_named(*records, name);
  co_return out;
}

asio::awaitable<std::vector<std::string>> ComposeProject::taken_back(rules::Revision from, rules::Revision to,
                                                                     std::size_t most) {
  std::vector<std::string> lines;
  const ComposeRecords* const records = memory_.records();
  if (records != nullptr) lines = images_between(*records, from, to, most);
  co_return lines;
}

asio::awaitable<std::vector<EvidenceCommand>> ComposeProject::evidence() {
  std::vector<EvidenceCommand> commands = compose_evidence(runner_, look_);
  co_return commands;
}

std::vector<std::string> ComposeProject::secrets() const {
  std::vector<std::string> out;
  for (const ComposeContainer& container : look_.containers)
    out.insert(out.end(), container.secrets.begin(), container.secrets.end());
  return out;
}

asio::awaitable<rules::StepResult> ComposeProject::switch_to(SwitchRequest request) {
  // When it is called off in the middle, what runs still has to be left in order.
  co_await asio::this_coro::throw_if_cancelled(false);
  rules::StepResult result;
  result.nothing_begun = true;
  if (!rules::is_safe_in_argv(request.to)) {
    result.detail = "switch " + service_.text + ": the target's name must not be put into a command line";
    co_return result;
  }
  result.detail = co_await why_no_tool();
  if (!result.detail.empty()) co_return result;
  const ComposeRunner runner(config_, request.started);
  ComposeSwitch work(runner, *tool_, memory_, clock_, service_.text, std::move(request));
  switching_ = true;
  result = co_await work.run();
  switching_ = false;
  co_return result;
}

std::string ComposeProject::aftermath() const {
  std::string text;
  const ComposeRecords* const records = memory_.records();
  if (records == nullptr) return text;
  for (const std::string& line : records->aftermath) text += line + "\n";
  return text;
}

}  // namespace

std::unique_ptr<Driver> make_compose_driver(const rules::ServiceName& service, const ComposeDriver& config,
                                            const std::string& state_dir, const probes::Clock& clock) {
  return std::make_unique<ComposeProject>(service, config, state_dir, clock);
}

}  // namespace watcher
