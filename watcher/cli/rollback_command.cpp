#include <boost/json.hpp>

#include "watcher/cli/command_line.hpp"
#include "watcher/cli/follow.hpp"
#include "watcher/cli/print_plan.hpp"
#include "watcher/serve/api.hpp"
#include "watcher/serve/problem.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr rules::Duration follow_pause = std::chrono::milliseconds(500);

struct RollbackArguments {
  std::string service;
  std::string to;
  std::string action;
  std::string backup;
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
  add("backup", arguments.backup);
  add("reason", arguments.reason);
  if (arguments.force) out["force"] = true;
  if (arguments.yes) out["yes"] = true;
  return out;
}

std::string report_of(const std::string& state_dir, const std::string& id) {
  return state_dir + "/incidents/" + id + "/report.md";
}

// Until the incident is closed: whoever types `rollback` wants to know whether it worked.
int follow(const CommandLine& line, const std::string& id) {
  Follower follower(line);
  if (line.terminal().live) {
    line.out() << "it goes on when this command is ended; what stops it is: rollbackd abort " << id << "\n";
  }
  for (rules::Duration since_last{};; since_last = follow_pause) {
    const Asked asked = ask_or_tell(line, "GET", "/api/v1/incidents/" + url_encoded(id));
    if (asked.exit_code != exit_fine) {
      line.err() << "rollbackd: what became of it is not known here; rollbackd incidents " << id << " says it\n";
      return asked.exit_code;
    }
    if (!line.json()) follower.look(asked.body, since_last);
    const std::string outcome = text_of(asked.body, "outcome");
    if (outcome.empty() && line.terminal().wait(follow_pause)) continue;
    if (!line.json()) {
      const std::optional<WatcherSection> watcher = line.reach();
      return follower.end(watcher ? report_of(watcher->state_dir, id) : "");
    }
    line.out() << asked.text << "\n";
    return outcome == "recovered" ? exit_fine : exit_no;
  }
}

rules::RollbackByHand request_of(const RollbackArguments& arguments, const rules::ServiceName& service) {
  rules::RollbackByHand rollback;
  rollback.service = service;
  if (!arguments.to.empty()) rollback.to = rules::Revision(arguments.to);
  if (!arguments.action.empty()) rollback.action = rules::ActionName(arguments.action);
  rollback.backup = arguments.backup;
  rollback.reason = arguments.reason;
  rollback.by = "command line";
  rollback.force = arguments.force;
  rollback.yes = arguments.yes;
  return rollback;
}

// What is heard of a rollback in this process, and what there is to print at its end.
struct Here {
  Follower follower;
  std::string incident{};  // empty: none was begun
  std::string last{};      // what was seen last of it, as JSON
  bool stopped = false;    // by a signal
};

// No watcher runs: this process is the watcher for as long as the one rollback takes.
int roll_back_here(const CommandLine& line, const RollbackArguments& arguments) {
  std::optional<Config> config = line.load();
  if (!config) return exit_no;
  const std::optional<rules::ServiceName> service = service_meant(line, *config, arguments.service);
  if (!service || !is_watchers_user(line, config->watcher)) return exit_no;
  Here here{Follower(line)};
  RunOptions options;
  options.rollback = request_of(arguments, *service);
  options.answered = [&](const rules::Answer& answer) {
    here.incident = answer.incident.text;
    if (!answer.accepted) {
      read_reply(line, problem(409, answer.text));
    } else if (!line.json()) {
      line.out() << answer.text << std::endl;
    }
  };
  options.looked = [&](const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps,
                       const std::optional<rules::Progress>& progress) {
    here.last = incident_json(incident, steps, progress);
    if (!line.json()) here.follower.look(json::parse(here.last), rollback_look_interval);
  };
  options.stopping = [&](bool step_in_flight) {
    here.stopped = true;
    here.follower.say(step_in_flight ? "stopping: the step that runs ends first, nothing more is begun" : "stopping");
  };
  line.err() << "rollbackd: no watcher answers; rolling back in this process\n";
  const std::string state_dir = config->watcher.state_dir;
  const int exit_code = line.terminal().run(*std::move(config), std::move(options));
  if (here.stopped && here.incident.empty()) here.follower.say("nothing was begun");
  if (here.last.empty()) return exit_code;
  if (line.json()) line.out() << here.last << "\n";
  const int told = line.json() ? exit_code : here.follower.end(report_of(state_dir, here.incident));
  if (here.stopped && exit_code != exit_fine) {
    here.follower.say("the next start goes on with incident " + here.incident +
                      ": rollbackd run, or again rollbackd rollback");
  }
  return told;
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
  return text_of(plan.body, "not_ready").empty() ? exit_fine : exit_no;
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

bool is_refused(const json::value& answer) {
  const json::value* const status = answer.is_object() ? answer.get_object().if_contains("status") : nullptr;
  return status != nullptr && status->is_int64() && status->as_int64() == 409;
}

// Whoever types it sees that the code that comes back ran with another schema. A plan that cannot be had keeps nobody
// from it.
int agree_on_schema(const CommandLine& line, const RollbackArguments& arguments) {
  if (arguments.yes || line.json() || !line.terminal().ask) return exit_fine;
  const Asked plan = ask_plan(line, arguments);
  if (plan.exit_code != exit_fine) return is_refused(plan.body) ? exit_no : exit_fine;
  if (!crosses_schema(plan.body)) return exit_fine;
  print_plan(line.err(), plan.body);
  if (line.terminal().ask("The schema stays as it is now. Do it? Type yes: ") == "yes") return exit_fine;
  line.err() << "rollbackd: nothing was done\n";
  return exit_no;
}

int roll_back(const CommandLine& line, RollbackArguments arguments) {
  if (arguments.plan) return show_plan(line, arguments);
  if (const int not_agreed = agree(line, arguments); not_agreed != exit_fine) return not_agreed;
  if (const int not_agreed = agree_on_schema(line, arguments); not_agreed != exit_fine) return not_agreed;
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
      "roll a service back by hand, and wait for the outcome: prints each step with what became of it, as it happens "
      "(--json: the incident, at its end). The same plan, journal and verification as by itself. Runs the action "
      "rollback of the file, else the only one of the service that switches and undoes code alone, else the bare "
      "switch; what "
      "loses data only when it is named, and asks first. Works with every probe down, "
      "and without a watcher (then in this process). Exit code 0 when it recovered, 1 when not.",
      [&line, arguments] { return roll_back(line, *arguments); });
  command->add_option("SERVICE", arguments->service, "not needed when there is one");
  command
      ->add_option("--to", arguments->to,
                   "another revision than the last good one: an id, its first digits, a tag or a branch")
      ->type_name("REVISION")
      ->transform(revision_word());
  command->add_option("--action", arguments->action, "another plan than rollback")->type_name("NAME");
  command
      ->add_option("--backup", arguments->backup,
                   "the backup that the plan's steps get as ROLLBACKD_BACKUP, instead of the one that was made before "
                   "what runs came; with switch = \"at-backup\" say with --to what belongs to it")
      ->type_name("PATH");
  command->add_option("--reason", arguments->reason, "for the report")->type_name("TEXT");
  command->add_flag("--force", arguments->force,
                    "also to a revision that is known to be bad, or that is said to run already");
  command->add_flag("--yes", arguments->yes, "do not ask, also when data are lost");
  command->add_flag("--plan", arguments->plan, "only show what would be done, and how long it usually takes");
  command->add_flag("--no-wait", arguments->no_wait, "return as soon as it has begun");
}

}  // namespace watcher
