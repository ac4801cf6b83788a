#include "watcher/drivers/command_driver.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <filesystem>
#include <system_error>
#include <utility>

#include "probes/key_rows.hpp"
#include "probes/net/child.hpp"
#include "probes/net/user.hpp"
#include "probes/parse/number.hpp"
#include "rules/base/parse.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/drivers/why_not.hpp"
#include "watcher/steps/command.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;

constexpr rules::Duration read_limit = std::chrono::seconds(8);  // what runs is read every 10 s
constexpr rules::Duration read_grace = std::chrono::seconds(1);
constexpr std::size_t shown_max = 200;  // bytes of a command's output in a message

class Commands final : public Driver {
 public:
  Commands(rules::ServiceName service, const CommandDriver& config, rules::Duration switch_limit,
           const probes::Clock& clock)
      : service_(std::move(service)), config_(config), switch_limit_(switch_limit), clock_(clock) {}

  asio::awaitable<rules::RevisionRead> identify() override;
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) override;
  asio::awaitable<rules::StepResult> switch_to(SwitchRequest request) override;
  // What a command left behind only its own output says.
  std::string aftermath() const override { return {}; }

 private:
  asio::awaitable<std::string> why_not_ready(std::optional<rules::Revision> to) const;
  asio::awaitable<std::string> refused_by_ready(rules::Revision to) const;
  probes::ChildSpec quick(std::vector<std::string> argv) const;

  rules::ServiceName service_;
  CommandDriver config_;
  rules::Duration switch_limit_;
  const probes::Clock& clock_;
};

std::string first_line(std::string_view out) {
  out = probes::trimmed(out);
  return std::string(probes::trimmed(out.substr(0, out.find('\n'))));
}

// The folder in which all of it runs, which is one fault whatever is asked.
bool is_gone(const std::string& dir) {
  std::error_code failure;
  return !dir.empty() && !std::filesystem::is_directory(dir, failure);
}

// What the command printed as the revision, or why it is none.
void take_revision(rules::RevisionRead& read, const std::string& attempt, probes::ChildResult child) {
  rules::Revision revision(first_line(child.output_stdout));
  rules::StepResult ended = result_of(attempt, std::move(child), read_limit);
  if (ended.status != rules::StepStatus::succeeded) {
    read.error = std::move(ended.detail);
  } else if (revision.empty()) {
    read.error = attempt + ": printed nothing; it has to print the revision that runs";
  } else if (!rules::is_safe_in_argv(revision)) {
    read.error = attempt + ": \"" + revision.text.substr(0, shown_max) +
                 "\" is no revision; it begins with a letter or digit, and then has those and . _ : / @ - up to 200";
  } else {
    read.revision = std::move(revision);
  }
}

probes::ChildSpec Commands::quick(std::vector<std::string> argv) const {
  probes::ChildSpec child;
  child.argv = std::move(argv);
  child.dir = config_.dir;
  child.user = config_.user;
  child.env = {{"ROLLBACKD_SERVICE", service_.text}};
  child.limit = read_limit;
  child.grace = read_grace;
  child.stragglers = probes::Stragglers::kill;
  return child;
}

asio::awaitable<rules::RevisionRead> Commands::identify() {
  rules::RevisionRead read;
  read.service = service_;
  read.started = clock_.now();
  // What cannot be switched for the same reason is told with it, in the same words.
  if (is_gone(config_.dir)) read.error = why_not_started({config_.identify, config_.dir, config_.user});
  if (config_.identify.empty()) read.error = "no identify command is configured";
  if (read.error.empty()) {
    read.by = "`" + shown(config_.identify) + "`";
    probes::ChildSpec child = quick(config_.identify);
    probes::ChildResult ended = co_await run_trusted(std::move(child));
    take_revision(read, "identify: " + shown(config_.identify), std::move(ended));
  }
  read.ended = clock_.now();
  co_return read;
}

bool names_target(const std::vector<std::string>& argv) {
  return std::any_of(argv.begin(), argv.end(),
                     [](const auto& argument) { return argument.find("{to}") != argument.npos; });
}

asio::awaitable<std::string> Commands::why_not_ready(std::optional<rules::Revision> to) const {
  const std::string refused = why_not_started({config_.switch_to, config_.dir, config_.user});
  if (!refused.empty() && is_gone(config_.dir)) co_return refused;
  if (!refused.empty()) co_return "switch: " + refused;
  if (config_.ready.empty()) co_return std::string();
  // Without a target, a command that asks for one cannot be run: that it is there is all that can be seen.
  if (!to && names_target(config_.ready)) {
    co_return why_not_started({config_.ready, config_.dir, config_.user});
  }
  const std::optional<std::vector<std::string>> argv = expand_argv(config_.ready, {}, to.value_or(rules::Revision()));
  const std::string attempt = "ready: " + shown(config_.ready);
  if (!argv) co_return attempt + ": the target's name must not be put into a command line";
  probes::ChildSpec child = quick(*argv);
  probes::ChildResult ended = co_await run_trusted(std::move(child));
  // Empty when it succeeded.
  co_return result_of(attempt, std::move(ended), read_limit).detail;
}

// Asked once more before anything is begun: what it says no to may take down what runs before it fails. An answer that
// does not come is none.
asio::awaitable<std::string> Commands::refused_by_ready(rules::Revision to) const {
  if (config_.ready.empty()) co_return std::string();
  const std::optional<std::vector<std::string>> argv = expand_argv(config_.ready, {}, to);
  if (!argv) co_return std::string();
  probes::ChildSpec child = quick(*argv);
  probes::ChildResult ended = co_await run_trusted(std::move(child));
  const bool says_no = ended.end == probes::ChildEnd::exited && ended.exit_code != 0;
  if (!says_no) co_return std::string();
  const rules::StepResult said = result_of("ready: " + shown(config_.ready), std::move(ended), read_limit);
  co_return "the switch was not begun: " + said.detail;
}

asio::awaitable<rules::ReadinessRead> Commands::ready(std::optional<rules::Revision> to) {
  std::string refused = co_await why_not_ready(std::move(to));
  co_return readiness_of(service_, std::move(refused), clock_.now());
}

asio::awaitable<rules::StepResult> Commands::switch_to(SwitchRequest request) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const std::string attempt = "switch: " + shown(config_.switch_to);
  rules::StepResult refused;
  refused.nothing_begun = true;
  const std::optional<std::vector<std::string>> argv = expand_argv(config_.switch_to, request.from, request.to);
  if (config_.switch_to.empty()) {
    refused.detail = "switch " + service_.text + ": no switch command is configured";
    co_return refused;
  }
  if (!argv) {
    refused.detail = attempt + ": a revision's name is missing or must not be put into a command line";
    co_return refused;
  }
  refused.detail = co_await refused_by_ready(request.to);
  if (!refused.detail.empty()) co_return refused;
  probes::ChildSpec child;
  child.argv = *argv;
  child.dir = config_.dir;
  child.user = config_.user;
  child.env = std::move(request.env);
  child.started = std::move(request.started);
  child.limit = request.limit > rules::Duration::zero() ? request.limit : switch_limit_;
  const rules::Duration limit = child.limit;
  probes::ChildResult ended = co_await run_trusted(std::move(child));
  co_return result_of(attempt, std::move(ended), limit);
}

// Written back as `switch`, whichever of its two words the file has.
probes::Value not_written(const void*) { return {}; }

constexpr std::array keys{
    key<Kind::argv, &CommandDriver::identify>("identify", "Prints the revision that runs as its first line.")
        .when_left_out("no revision is known"),
    key<Kind::argv, &CommandDriver::ready>("ready", "Exits with 0 when a switch could be done.")
        .when_left_out("it always could"),
    key<Kind::argv, &CommandDriver::switch_to>("switch", "Makes {to} run; {from} is what runs."),
    key<Kind::argv, &CommandDriver::switch_to>("rollback", "The short word for switch.").with(&Key::get, not_written),
    key<Kind::string, &CommandDriver::user>("user", "The user that identify, ready and switch run as.")
        .checked(probes::wrong_user)
        .when_left_out("our own"),
};

// "{to}" or "{from}"; empty: neither.
std::string revision_named_in(const std::vector<std::string>& argv) {
  for (const char* name : {"{to}", "{from}"}) {
    const auto has_it = [name](const std::string& word) { return word.find(name) != std::string::npos; };
    if (std::any_of(argv.begin(), argv.end(), has_it)) return name;
  }
  return "";
}

void settle(void* object, probes::Given& given) {
  const auto& driver = *static_cast<const CommandDriver*>(object);
  if (given.has("switch") && given.has("rollback"))
    given.error("rollback", "is the short word for switch; give one of them");
  if (!driver.identify.empty() || given.has("identify")) return;
  // Neither can be known when nobody can say what runs.
  const auto check = [&](const char* word, const std::vector<std::string>& argv) {
    const std::string named = revision_named_in(argv);
    if (named.empty()) return;
    given.error(
        word, named + " needs the revisions to be known; add identify = [...], a command that prints the running one");
  };
  check(given.has("switch") ? "switch" : "rollback", driver.switch_to);
  check("ready", driver.ready);
}

}  // namespace

probes::Variety CommandDriver::variety() {
  return probes::variety<DriverKind, CommandDriver>("command", "Commands say what runs, and switch it.", keys, settle);
}

std::unique_ptr<Driver> CommandDriver::make(const DriverSection& section, const std::string&,
                                            const probes::Clock& clock) const {
  return make_command_driver(section.service, *this, section.timeout, clock);
}

Whom CommandDriver::whom() const { return {user}; }

std::vector<NamedCommand> CommandDriver::commands(const std::string& owner) const {
  return {{owner + ".identify", identify, whom()},
          {owner + ".ready", ready, whom()},
          {owner + ".switch", switch_to, whom()}};
}

std::unique_ptr<Driver> make_command_driver(const rules::ServiceName& service, const CommandDriver& config,
                                            rules::Duration switch_limit, const probes::Clock& clock) {
  return std::make_unique<Commands>(service, config, switch_limit, clock);
}

}  // namespace watcher
