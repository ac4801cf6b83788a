#include <boost/json.hpp>

#include "watcher/cli/command_line.hpp"
#include "watcher/cli/print_plan.hpp"
#include "watcher/journal/journal.hpp"
#include "watcher/report/text.hpp"
#include "watcher/serve/api.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr rules::Duration follow_pause = std::chrono::milliseconds(500);

struct RollbackArguments {
  std::string service;
  std::string to;
  std::string action;
  std::string reason;
  bool force = false;
  bool no_wait = false;
  bool yes = false;
  bool plan = false;
};

json::object body_of(const RollbackArguments& arguments) {
  json::object out;
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) out[key] = value;
  };
  add("service", arguments.service);
  add("to", arguments.to);
  add("action", arguments.action);
  add("reason", arguments.reason);
  if (arguments.force) out["force"] = true;
  if (arguments.yes) out["yes"] = true;
  return out;
}

// Prints the entries of the story that have not been printed yet; returns how many there are now.
std::size_t print_story(const CommandLine& line, const json::value& incident, std::size_t printed) {
  const json::value* const timeline = incident.is_object() ? incident.get_object().if_contains("timeline") : nullptr;
  if (timeline == nullptr || !timeline->is_array()) return printed;
  const json::array& entries = timeline->get_array();
  for (; printed < entries.size(); ++printed) {
    if (line.json()) continue;
    line.out() << text_of(entries[printed], "at") << "  " << text_of(entries[printed], "text") << "\n";
  }
  line.out().flush();
  return printed;
}

int print_outcome(const CommandLine& line, const Asked& asked) {
  const std::string outcome = text_of(asked.body, "outcome");
  if (line.json())
    line.out() << asked.text << "\n";
  else
    line.out() << "outcome: " << outcome << "  " << text_of(asked.body, "outcome_detail") << "\n";
  return outcome == "recovered" ? exit_fine : exit_no;
}

// Until the incident is closed: whoever types `rollback` wants to know whether it worked.
int follow(const CommandLine& line, const std::string& id) {
  std::size_t printed = 0;
  while (true) {
    const Asked asked = ask_or_tell(line, "GET", "/api/v1/incidents/" + url_encoded(id));
    if (asked.exit_code != exit_fine) return asked.exit_code;
    printed = print_story(line, asked.body, printed);
    if (!text_of(asked.body, "outcome").empty()) return print_outcome(line, asked);
    if (!line.terminal().wait(follow_pause)) return exit_no;
  }
}

struct Newest {
  std::optional<rules::IncidentRecord> incident;  // none: there is no journal yet, or nothing in it
  std::vector<rules::StepRecord> steps;
};

Newest newest_incident(const std::string& state_dir) {
  Newest out;
  auto opened = Journal::open_read_only(state_dir);
  auto* const journal = std::get_if<std::unique_ptr<Journal>>(&opened);
  if (journal == nullptr) return out;
  const std::vector<rules::IncidentRecord> newest = (*journal)->incidents(1);
  if (newest.empty()) return out;
  out.incident = newest.front();
  out.steps = (*journal)->steps(newest.front().id);
  return out;
}

// What became of it, as whoever asks a watcher is told; the process itself only logs.
void print_ending(const CommandLine& line, const std::string& state_dir, const Newest& before) {
  const Newest now = newest_incident(state_dir);
  if (!now.incident || !now.incident->outcome) return;
  if (before.incident && before.incident->id == now.incident->id) return;
  if (line.json()) {
    line.out() << incident_json(*now.incident, now.steps) << "\n";
    return;
  }
  line.out() << "outcome: " << rules::to_string(*now.incident->outcome) << "  "
             << first_line(now.incident->outcome_detail) << "\nreport: " << state_dir << "/incidents/"
             << now.incident->id.text << "/report.md\n";
}

rules::RollbackByHand request_of(const RollbackArguments& arguments, const rules::ServiceName& service) {
  rules::RollbackByHand rollback;
  rollback.service = service;
  if (!arguments.to.empty()) rollback.to = rules::Revision(arguments.to);
  if (!arguments.action.empty()) rollback.action = rules::ActionName(arguments.action);
  rollback.reason = arguments.reason;
  rollback.by = "command line";
  rollback.force = arguments.force;
  rollback.yes = arguments.yes;
  return rollback;
}

// No watcher runs: this process is the watcher for as long as the one rollback takes.
int roll_back_here(const CommandLine& line, const RollbackArguments& arguments) {
  std::optional<Config> config = line.load();
  if (!config) return exit_no;
  const std::optional<rules::ServiceName> service = service_meant(line, *config, arguments.service);
  if (!service) return exit_no;
  RunOptions options;
  options.rollback = request_of(arguments, *service);
  line.err() << "rollbackd: no watcher answers; rolling back in this process\n";
  const std::string state_dir = config->watcher.state_dir;
  const Newest before = newest_incident(state_dir);
  const int exit_code = line.terminal().run(*std::move(config), std::move(options));
  print_ending(line, state_dir, before);
  return exit_code;
}

// Asked of the watcher, and where none runs found out here.
Asked ask_plan(const CommandLine& line, const RollbackArguments& arguments) {
  json::object body = body_of(arguments);
  body["plan"] = true;
  const Asked asked = ask(line, "POST", "/api/v1/rollback", body);
  if (!asked.no_watcher) return asked;
  Asked failed;
  failed.exit_code = exit_no;
  const std::optional<Config> config = line.load();
  if (!config) return failed;
  const std::optional<rules::ServiceName> service = service_meant(line, *config, arguments.service);
  if (!service) return failed;
  return read_reply(line, line.terminal().plan(*config, request_of(arguments, *service)));
}

int show_plan(const CommandLine& line, const RollbackArguments& arguments) {
  const Asked plan = ask_plan(line, arguments);
  if (plan.exit_code != exit_fine) return plan.exit_code;
  if (line.json()) {
    line.out() << plan.text << "\n";
  } else {
    print_plan(line.out(), plan.body);
  }
  return exit_fine;
}

// What loses data is shown and asked about first.
int agree(const CommandLine& line, RollbackArguments& arguments) {
  if (arguments.action.empty() || arguments.yes) return exit_fine;
  const Asked plan = ask_plan(line, arguments);
  if (plan.exit_code != exit_fine || !loses_data(plan.body)) return plan.exit_code;
  print_plan(line.err(), plan.body);
  if (!line.terminal().ask || line.json()) {
    line.err() << "rollbackd: action " << arguments.action << " loses data; say --yes to have it done\n";
    return exit_usage;
  }
  arguments.yes = line.terminal().ask("Do it? Type yes: ") == "yes";
  if (arguments.yes) return exit_fine;
  line.err() << "rollbackd: nothing was done\n";
  return exit_no;
}

int roll_back(const CommandLine& line, RollbackArguments arguments) {
  if (arguments.plan) return show_plan(line, arguments);
  if (const int not_agreed = agree(line, arguments); not_agreed != exit_fine) return not_agreed;
  const Asked asked = ask(line, "POST", "/api/v1/rollback", body_of(arguments));
  if (asked.no_watcher) return roll_back_here(line, arguments);
  if (asked.exit_code != exit_fine) return asked.exit_code;
  const std::string id = text_of(asked.body, "incident");
  const bool follows = !arguments.no_wait && !id.empty();
  if (!line.json())
    line.out() << text_of(asked.body, "text") << "\n";
  else if (!follows)
    line.out() << asked.text << "\n";
  return follows ? follow(line, id) : exit_fine;
}

}  // namespace

void add_rollback_command(CLI::App& app, CommandLine& line) {
  const auto arguments = std::make_shared<RollbackArguments>();  // shared with the action, which outlives this function
  CLI::App* const command = line.add(
      app, "rollback",
      "roll a service back by hand, and wait for the outcome. The same plan, journal and verification as by "
      "itself. Runs the action rollback, else the only one of the service that switches and undoes code alone; what "
      "loses data only when it is named, and asks first. Works with every probe down, "
      "and without a watcher (then in this process). Exit code 0 when it recovered, 1 when not.",
      [&line, arguments] { return roll_back(line, *arguments); });
  command->add_option("SERVICE", arguments->service, "not needed when there is one");
  command
      ->add_option("--to", arguments->to,
                   "another revision than the last good one: an id, its first digits, a tag or a branch")
      ->type_name("REVISION")
      ->check(CLI::Validator(check_revision, "", "revision"));
  command->add_option("--action", arguments->action, "another plan than rollback")->type_name("NAME");
  command->add_option("--reason", arguments->reason, "for the report")->type_name("TEXT");
  command->add_flag("--force", arguments->force, "also to a revision that is known to be bad");
  command->add_flag("--yes", arguments->yes, "do not ask, also when data are lost");
  command->add_flag("--plan", arguments->plan, "only show what would be done, and how long it usually takes");
  command->add_flag("--no-wait", arguments->no_wait, "return as soon as it has begun");
}

}  // namespace watcher
