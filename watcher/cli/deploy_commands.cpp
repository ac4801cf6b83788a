#include <boost/json.hpp>

#include "watcher/cli/command_line.hpp"
#include "watcher/clock.hpp"
#include "watcher/journal/journal.hpp"
#include "watcher/run/spool.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

struct DeployArguments {
  std::string kind;
  std::string revision;
  std::vector<std::string> services;  // none: all
  std::string policy;
  std::string schema;
  std::string backup;
};

bool is_verdict(const DeployArguments& arguments) { return arguments.kind == "good" || arguments.kind == "bad"; }

json::object body_of(const DeployArguments& arguments) {
  json::object out{{"kind", arguments.kind}};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) out[key] = value;
  };
  if (arguments.services.size() == 1) add("service", arguments.services.front());
  if (arguments.services.size() > 1) out["services"] = json::value_from(arguments.services);
  add("revision", arguments.revision);
  add("rollback", arguments.policy);
  add("schema", arguments.schema);
  add("backup", arguments.backup);
  return out;
}

std::optional<rules::RollbackPolicy> policy_of(const std::string& word) {
  for (const auto policy :
       {rules::RollbackPolicy::automatic, rules::RollbackPolicy::ask, rules::RollbackPolicy::forbidden}) {
    if (rules::to_string(policy) == word) return policy;
  }
  return std::nullopt;
}

SpooledWord word_of(const DeployArguments& arguments, const rules::ServiceName& service) {
  if (is_verdict(arguments)) {
    const bool bad = arguments.kind == "bad";
    return rules::Declare{service, rules::Revision(arguments.revision),
                          bad ? rules::Standing::bad : rules::Standing::good};
  }
  rules::DeployMark mark;
  mark.service = service;
  mark.at = SystemClock().now();
  if (arguments.kind == "begin") mark.kind = rules::MarkKind::begin;
  if (arguments.kind == "end") mark.kind = rules::MarkKind::end;
  if (!arguments.revision.empty()) mark.revision = rules::Revision(arguments.revision);
  mark.policy = policy_of(arguments.policy);
  mark.schema = arguments.schema;
  mark.backup = arguments.backup;
  return mark;
}

// None: it was told why.
std::vector<rules::ServiceName> services_of(const CommandLine& line, const DeployArguments& arguments) {
  const std::optional<Config> config = line.load();
  std::vector<rules::ServiceName> out;
  for (const std::string& named : arguments.services) {
    // A mistake elsewhere in the file must not stop a deploy script that says which service it means.
    const auto service = config ? service_meant(line, *config, named) : std::optional(rules::ServiceName(named));
    if (!service) return {};
    out.push_back(*service);
  }
  if (!out.empty() || !config) return out;
  if (!is_verdict(arguments)) {
    for (const rules::ServiceSpec& service : config->core.services) out.push_back(service.name);
  } else if (const auto service = service_meant(line, *config, "")) {
    out.push_back(*service);
  }
  return out;
}

// A rollback by hand may run without a watcher: a deployment must not begin under it.
bool host_is_free(const CommandLine& line, const std::string& state_dir) {
  std::string holder;
  if (HostLock::try_take("deploy begin", state_dir, holder) != nullptr) return true;
  line.err() << "rollbackd: something is being changed on this host: " << holder << "; try again when it has ended\n";
  return false;
}

// Nobody watches: the word is kept for the next start, and the deploy script goes on.
int spool_word(const CommandLine& line, const DeployArguments& arguments) {
  const std::optional<WatcherSection> watcher = line.reach();
  if (!watcher || (arguments.kind == "begin" && !host_is_free(line, watcher->state_dir))) return exit_no;
  const std::vector<rules::ServiceName> services = services_of(line, arguments);
  if (services.empty() || !is_watchers_user(line, *watcher)) return exit_no;
  for (const rules::ServiceName& service : services) {
    const auto failure = spool(watcher->state_dir, word_of(arguments, service));
    if (!failure) continue;
    line.err() << "rollbackd: note it for the watcher's next start: " << *failure
               << "; say it again as root or the watcher's user\n";
    return exit_no;
  }
  const std::string text = "no watcher answers; noted in " + watcher->state_dir + "/spool for its next start";
  if (line.json()) {
    line.out() << json::serialize(json::object{{"accepted", true}, {"spooled", true}, {"text", text}}) << "\n";
  } else {
    line.out() << text << "\n";
  }
  return exit_fine;
}

int tell_deploy(const CommandLine& line, const DeployArguments& arguments) {
  const Asked asked = ask(line, "POST", "/api/v1/deploys", body_of(arguments));
  return asked.no_watcher ? spool_word(line, arguments) : print_answer(line, asked);
}

// Shared with the action, which outlives the function that adds the command.
using SharedArguments = std::shared_ptr<DeployArguments>;

CLI::App* add_kind(CLI::App& group, CommandLine& line, const std::string& kind, const std::string& description,
                   const SharedArguments& arguments) {
  arguments->kind = kind;
  CLI::App* const command =
      line.add(group, kind, description, [&line, arguments] { return tell_deploy(line, *arguments); });
  CLI::Option* const service =
      command->add_option("--service", arguments->services,
                          is_verdict(*arguments) ? "which service; not needed when there is one"
                                                 : "which service, once for each that is deployed; all when left out");
  service->type_name("S")->allow_extra_args(false);
  if (is_verdict(*arguments)) service->expected(1);
  return command;
}

void add_mark(CLI::App& group, CommandLine& line, const std::string& kind, const std::string& description) {
  const auto arguments = std::make_shared<DeployArguments>();
  CLI::App* const command = add_kind(group, line, kind, description, arguments);
  command->add_option("REVISION", arguments->revision, "what is being deployed, when the script knows it")
      ->transform(revision_word());
  command
      ->add_option("--rollback", arguments->policy,
                   "auto: may be undone by itself; ask: only when approved; forbidden: never")
      ->check(CLI::IsMember({"auto", "ask", "forbidden"}));
  command->add_option("--schema", arguments->schema, "version of the database schema after it")->type_name("N");
  command->add_option("--backup", arguments->backup, "a backup taken before it")->type_name("PATH");
}

void add_verdict(CLI::App& group, CommandLine& line, const std::string& kind, const std::string& description) {
  const auto arguments = std::make_shared<DeployArguments>();
  CLI::App* const command = add_kind(group, line, kind, description, arguments);
  command->add_option("REVISION", arguments->revision, "which revision")->required()->transform(revision_word());
}

}  // namespace

void add_deploy_commands(CLI::App& app, CommandLine& line) {
  CLI::App* const deploy = CommandLine::add_group(
      app, "deploy", "what a deploy script says; without a watcher it is noted for the next start");
  add_mark(*deploy, line, "begin",
           "a deployment begins: until its end nothing is judged and nothing is rolled back. Exit code 1 while a "
           "rollback is under way: try again when it has ended.");
  add_mark(*deploy, line, "end", "the deployment has ended: from now on the new revision is judged");
  add_mark(*deploy, line, "mark", "a deployment has just happened, where there was no begin");
  add_verdict(*deploy, line, "good", "the revision is good: it may be rolled back to");
  add_verdict(*deploy, line, "bad", "the revision is bad: it is never rolled back to by itself");
}

}  // namespace watcher
