#include "watcher/drivers/systemd_runner.hpp"

#include <algorithm>
#include <utility>

#include "probes/parse/number.hpp"
#include "watcher/clock.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/drivers/why_not.hpp"
#include "watcher/report/time_limits.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

constexpr rules::Duration question_grace = std::chrono::seconds(1);
constexpr std::size_t line_shown_max = 400;  // bytes, of what systemctl said

// What systemctl says of where to look further is no reason, and stands in its last line, alone or behind the reason.
std::string_view reason_in(std::string_view text) {
  text = probes::trimmed(text);
  const std::size_t begin = text.rfind('\n') + 1;
  std::string_view line = text.substr(begin);
  const bool is_pointer = line.starts_with("See ") && line.ends_with("for details.");
  if (is_pointer && begin > 0) return reason_in(text.substr(0, begin));
  const std::size_t pointer = line.find(". See ");
  if (line.ends_with("for details.")) line = line.substr(0, pointer);
  while (line.ends_with('.')) line.remove_suffix(1);
  return line;
}

std::string advice_for(std::string_view said) {
  if (said.find("uthentication") != said.npos || said.find("Access denied") != said.npos)
    return "; do run rollbackd as root, or let a rule of polkit allow it";
  if (said.find("System has not been booted with systemd") != said.npos || said.find("onnect to bus") != said.npos)
    return "; do run rollbackd on the host itself, where systemd is";
  return {};
}

}  // namespace

SystemdRunner::SystemdRunner(const SystemdDriver& config, probes::Started started)
    : config_(config), started_(std::move(started)) {}

std::vector<std::string> SystemdRunner::systemctl() const {
  return config_.systemctl.empty() ? std::vector<std::string>(1, "systemctl") : config_.systemctl;
}

bool SystemdRunner::is_of_user() const {
  return std::find(config_.systemctl.begin(), config_.systemctl.end(), "--user") != config_.systemctl.end();
}

std::string SystemdRunner::why_not_started() const { return watcher::why_not_started({systemctl(), config_.dir, {}}); }

probes::ChildSpec SystemdRunner::plain(std::vector<std::string> argv, rules::Duration limit) const {
  probes::ChildSpec spec;
  spec.argv = std::move(argv);
  spec.dir = config_.dir;
  spec.env = {{"LC_ALL", "C"}, {"SYSTEMD_PAGER", ""}, {"SYSTEMD_COLORS", "0"}};
  spec.limit = limit;
  spec.grace = question_grace;
  return spec;
}

SystemdError SystemdRunner::error_of(std::string_view deed, const probes::ChildResult& child,
                                     rules::Duration limit) const {
  SystemdError out{std::string(deed) + ": ", rules::StepStatus::failed};
  if (child.end == probes::ChildEnd::timed_out) {
    out.status = rules::StepStatus::timed_out;
    out.what += took_longer(limit);
    return out;
  }
  if (child.end == probes::ChildEnd::cancelled) {
    out.status = rules::StepStatus::interrupted;
    out.what += "was ended because the step was called off";
    return out;
  }
  std::string_view said = child.error;
  if (child.end != probes::ChildEnd::not_started) said = reason_in(child.stderr_end);
  out.what += said.empty() ? "exit code " + std::to_string(child.exit_code) : visible(said.substr(0, line_shown_max));
  out.what += advice_for(child.stderr_end);
  return out;
}

asio::awaitable<SystemdUnits> SystemdRunner::show() const {
  std::vector<std::string> argv = systemctl();
  argv.insert(argv.end(), {"show", "--no-pager", "--property=" + std::string(unit_properties), "--"});
  argv.insert(argv.end(), config_.units.begin(), config_.units.end());
  probes::ChildSpec spec = plain(std::move(argv), systemd_question_limit);
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  const bool answered = child.end == probes::ChildEnd::exited && child.exit_code == 0;
  if (!answered) co_return error_of("systemctl show", child, systemd_question_limit);
  std::vector<SystemdUnit> units = parse_units(child.output_stdout);
  if (units.size() != config_.units.size())
    co_return SystemdError{"systemctl show told of " + std::to_string(units.size()) + " units instead of " +
                           std::to_string(config_.units.size())};
  co_return units;
}

asio::awaitable<std::optional<SystemdError>> SystemdRunner::change(std::string verb, rules::Duration limit,
                                                                   std::string& output) const {
  std::vector<std::string> argv = systemctl();
  argv.insert(argv.end(), {verb, "--"});
  argv.insert(argv.end(), config_.units.begin(), config_.units.end());
  probes::ChildSpec spec = plain(std::move(argv), limit);
  spec.grace = probes::ChildSpec().grace;
  spec.started = started_;
  std::string deed = "systemctl " + verb;
  for (const std::string& unit : config_.units) deed += " " + unit;
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  output += "$ " + deed + "\n" + child.output;
  const bool done = child.end == probes::ChildEnd::exited && child.exit_code == 0;
  if (!done) co_return error_of(deed, child, limit);
  co_return std::nullopt;
}

probes::ChildSpec SystemdRunner::about_units(std::string program, std::vector<std::string> arguments,
                                             rules::Duration limit) const {
  std::vector<std::string> out = systemctl();
  const bool of_user = is_of_user();
  const bool asks_journal = program == "journalctl";
  if (asks_journal) out.assign(1, std::move(program));
  if (asks_journal && of_user) out.emplace_back("--user");
  out.insert(out.end(), arguments.begin(), arguments.end());
  for (const std::string& unit : config_.units) {
    if (asks_journal) out.emplace_back("-u");
    out.push_back(unit);
  }
  return plain(std::move(out), limit);
}

// Fields with an underscore are journald's own (systemd.journal-fields(7)): nobody else can write them.
probes::ChildSpec SystemdRunner::journal_of_systemd(const std::vector<std::string>& units,
                                                    const std::vector<std::string>& messages) const {
  constexpr std::size_t lines_a_unit = 64;
  const bool of_user = is_of_user();
  // Not --boot: where a unit confines us within a container, the boot's id is that of the host.
  const auto boot = std::chrono::floor<std::chrono::seconds>(wall_time_of(rules::Duration::zero()).time_since_epoch());
  std::vector<std::string> out{"journalctl",
                               "--no-pager",
                               "--quiet",
                               "--reverse",
                               "--output=json",
                               "--since=@" + std::to_string(boot.count()),
                               "--output-fields=MESSAGE,MESSAGE_ID,UNIT,USER_UNIT,JOB_RESULT",
                               "--lines=" + std::to_string(lines_a_unit * units.size())};
  if (of_user) out.emplace_back("--user");
  out.emplace_back(of_user ? "_SYSTEMD_USER_UNIT=init.scope" : "_PID=1");
  for (const std::string& unit : units) out.push_back((of_user ? "USER_UNIT=" : "UNIT=") + unit);
  out.insert(out.end(), messages.begin(), messages.end());
  return plain(std::move(out), systemd_question_limit);
}

// Its exit code says how the unit is.
asio::awaitable<std::string> SystemdRunner::unmet(std::string unit) const {
  std::vector<std::string> argv = systemctl();
  argv.insert(argv.end(), {"status", "--no-pager", "--full", "--lines=0", "--", std::move(unit)});
  probes::ChildSpec spec = plain(std::move(argv), systemd_question_limit);
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  if (child.end != probes::ChildEnd::exited) co_return std::string();
  const std::string named = unmet_in(child.output_stdout);
  co_return visible(std::string_view(named).substr(0, line_shown_max));
}

asio::awaitable<std::string> SystemdRunner::asserts(std::string unit) const {
  std::vector<std::string> argv = systemctl();
  argv.insert(argv.end(), {"cat", "--no-pager", "--", std::move(unit)});
  probes::ChildSpec spec = plain(std::move(argv), systemd_question_limit);
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  const std::string all = asserts_in(child.output_stdout);
  co_return visible(std::string_view(all).substr(0, line_shown_max));
}

asio::awaitable<std::string> SystemdRunner::last_words_of(std::string unit, rules::Instant since) const {
  constexpr std::size_t shown_max = 200;  // bytes; a line of a message
  const auto begin = std::chrono::floor<std::chrono::seconds>(since.time_since_epoch());
  const bool of_user = is_of_user();
  std::vector<std::string> argv{
      "journalctl",   "--no-pager", "--quiet",
      "--reverse",    "--lines=1",  "--since=@" + std::to_string(begin.count()),
      "--output=cat", "--",         (of_user ? "_SYSTEMD_USER_UNIT=" : "_SYSTEMD_UNIT=") + unit};
  if (of_user) argv.insert(argv.begin() + 1, "--user");
  probes::ChildSpec spec = plain(std::move(argv), systemd_question_limit);
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  const bool answered = child.end == probes::ChildEnd::exited && child.exit_code == 0;
  if (!answered) co_return std::string();
  const std::string_view line = probes::trimmed(child.output_stdout);
  co_return visible(line.substr(0, std::min(shown_max, line.find('\n'))));
}

}  // namespace watcher
