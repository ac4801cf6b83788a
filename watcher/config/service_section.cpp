#include <algorithm>

#include "watcher/config/sections.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

enum class DriverKind { command, git };

constexpr std::int64_t limit_most = 1'000'000;

void read_fuse(TableReader& reader, rules::FuseLimits& out) {
  const toml::table* const table = reader.subtable("fuse");
  if (table == nullptr) return;
  TableReader fuse(reader.loading(), *table, reader.owner("fuse"));
  const auto limit = [&](std::string_view key, int& value) {
    if (const auto given = fuse.integer(key, 0, limit_most)) value = static_cast<int>(*given);
  };
  limit("switches_per_revision", out.switches_per_revision);
  limit("switches_per_day", out.switches_per_day);
  limit("mutations_per_hour", out.mutations_per_hour);
  fuse.finish();
}

void read_ask(TableReader& reader, rules::ServiceSpec& out) {
  const toml::table* const table = reader.subtable("ask");
  if (table == nullptr) return;
  TableReader ask(reader.loading(), *table, reader.owner("ask"));
  if (const auto timeout = ask.duration("timeout", std::chrono::seconds(1))) out.ask_timeout = *timeout;
  const auto then =
      ask.choice<rules::AskThen>("then", {{"close", rules::AskThen::close}, {"act", rules::AskThen::act}});
  if (then) out.ask_then = *then;
  ask.finish();
}

// Arming and limits: the part of a service that decides.
void read_judgement(TableReader& reader, rules::ServiceSpec& out) {
  out.arm = reader.choice<rules::Arm>("arm", {{"deploy", rules::Arm::deploy}, {"always", rules::Arm::always}})
                .value_or(out.has_identity ? rules::Arm::deploy : rules::Arm::always);
  if (out.arm == rules::Arm::deploy && !out.has_identity && out.has_driver) {
    reader.error("arm", "\"deploy\" needs a revision to be read; add identify = [...], or arm = \"always\"");
  }
  if (const auto bake = reader.duration("bake")) out.bake = *bake;
  if (const auto deadline = reader.duration("start_deadline")) out.start_deadline = *deadline;
  if (const auto cooldown = reader.duration("cooldown")) out.cooldown = *cooldown;
  if (const auto timeout = reader.duration("deploy_timeout", std::chrono::seconds(1))) out.deploy_timeout = *timeout;
  read_fuse(reader, out.fuse);
  read_ask(reader, out);
  for (const std::string& name : reader.strings("depends_on").value_or(std::vector<std::string>())) {
    out.depends_on.emplace_back(name);
    reader.loading().depends_on[out.name.text].push_back({name, reader.place("depends_on")});
  }
}

GitDriver read_git(TableReader& reader, const std::string& dir) {
  GitDriver out;
  if (!reader.has("dir")) reader.missing("dir", "the folder of the repository, such as dir = \"/opt/app\"");
  out.dir = dir;
  out.paths = reader.strings("paths").value_or(std::vector<std::string>());
  out.build = reader.argv("build", dir).value_or(std::vector<std::string>());
  if (!reader.has("restart"))
    reader.missing("restart",
                   "how what was checked out is started, such as restart = [\"systemctl\", \"restart\", \"web\"]");
  out.restart = reader.argv("restart", dir).value_or(std::vector<std::string>());
  if (const auto timeout = reader.duration("build_timeout", std::chrono::seconds(1))) out.build_timeout = *timeout;
  if (const auto timeout = reader.duration("restart_timeout", std::chrono::seconds(1))) out.restart_timeout = *timeout;
  for (const std::string_view key : {"identify", "switch", "rollback"}) {
    if (reader.has(key))
      reader.error(key, "the git driver does this itself; leave it out, or use driver = \"command\"");
    reader.node(key);
  }
  return out;
}

CommandDriver read_command(TableReader& reader, const std::string& dir) {
  CommandDriver out;
  out.dir = dir;
  out.identify = reader.argv("identify", dir).value_or(std::vector<std::string>());
  out.ready = reader.argv("ready", dir).value_or(std::vector<std::string>());
  if (reader.has("switch") && reader.has("rollback")) {
    reader.error("rollback", "is the short word for switch; give one of them");
  }
  auto switch_to = reader.argv("switch", dir);
  auto rollback = reader.argv("rollback", dir);
  if (switch_to)
    out.switch_to = *std::move(switch_to);
  else if (rollback)
    out.switch_to = *std::move(rollback);
  return out;
}

bool mentions_to(const std::vector<std::string>& argv) {
  return std::any_of(argv.begin(), argv.end(),
                     [](const std::string& word) { return word.find("{to}") != std::string::npos; });
}

// {to} cannot be known when nobody can say what runs.
void check_target(TableReader& reader, const CommandDriver& driver) {
  if (!driver.identify.empty() || !mentions_to(driver.switch_to)) return;
  reader.error(reader.has("switch") ? "switch" : "rollback",
               "{to} needs the revisions to be known; add identify = [...], a command that prints the running one");
}

// False when nobody knows what the driver is to be: then nothing else of the service is looked at.
bool read_driver(TableReader& reader, DriverSection& out) {
  const bool commands = reader.has("identify") || reader.has("rollback") || reader.has("switch") || reader.has("ready");
  std::optional<DriverKind> kind;
  if (reader.has("driver")) {
    const std::vector<std::pair<std::string, DriverKind>> kinds{{"command", DriverKind::command},
                                                                {"git", DriverKind::git}};
    kind = reader.choice<DriverKind>("driver", kinds, Vocabulary::driver);
    if (!kind) kind = reader.meant("driver", kinds);
    if (!kind) return false;
  } else {
    reader.node("driver");
    if (commands) kind = DriverKind::command;
  }
  if (kind == DriverKind::git) {
    out.driver = read_git(reader, out.dir);
  } else {
    CommandDriver commands_given = read_command(reader, out.dir);
    check_target(reader, commands_given);
    if (kind == DriverKind::command) out.driver = std::move(commands_given);
  }
  return true;
}

bool can_switch(const DriverSection& section) {
  if (const auto* command = std::get_if<CommandDriver>(&section.driver)) return !command->switch_to.empty();
  return std::holds_alternative<GitDriver>(section.driver);
}

bool can_identify(const DriverSection& section) {
  if (const auto* command = std::get_if<CommandDriver>(&section.driver)) return !command->identify.empty();
  return std::holds_alternative<GitDriver>(section.driver);
}

void imply_probe(TableReader& reader, std::string_view key, const std::string& name,
                 std::variant<probes::HttpProbe, probes::PrometheusProbe> what, bool& implied) {
  std::optional<Text> url = reader.text(key);
  if (!url) return;
  Loading& loading = reader.loading();
  check_url(loading, reader.place(key), reader.owner(key), url->value);
  if (loading.probe_names.contains(name)) {
    reader.error(key,
                 "stands for a probe \"" + name + "\", but [probe." + name + "] is there too; leave one of them out");
    return;
  }
  probes::ProbeConfig probe = probe_with_defaults(name);
  std::visit(
      [&](auto& page) {
        page.urls.push_back(*std::move(url));
        probe.what = std::move(page);
      },
      what);
  loading.probe_names.insert(name);
  loading.config.probes.push_back(std::move(probe));
  implied = true;
}

void read_short_form(TableReader& reader, const std::string& service, bool single) {
  Loading& loading = reader.loading();
  ShortForm out;
  out.service = service;
  if (!single) {
    out.prefix = service + "_";
    std::replace(out.prefix.begin(), out.prefix.end(), '-', '_');
  }
  imply_probe(reader, "health", out.prefix + "health", probes::HttpProbe(), out.has_health);
  imply_probe(reader, "metrics", out.prefix + "metrics", probes::PrometheusProbe(), out.has_metrics);
  const std::optional<std::vector<std::string>> rules = reader.strings("rules");
  if (rules) {
    const toml::array& nodes = *reader.table().get("rules")->as_array();
    for (std::size_t i = 0; i < rules->size(); ++i) out.rules.push_back({(*rules)[i], place_of(nodes[i]), {}});
  }
  const bool used = out.has_health || out.has_metrics || !out.rules.empty();
  if (used) loading.short_forms.push_back(std::move(out));
}

void read_service(Loading& loading, const NamedTable& entry, bool single) {
  TableReader reader(loading, *entry.table, "service." + entry.name);
  loading.service_names.insert(entry.name);
  rules::ServiceSpec spec;
  spec.name = rules::ServiceName(entry.name);
  DriverSection section;
  section.service = spec.name;
  section.dir = reader.path("dir").value_or(loading.dir);
  const bool known_driver = read_driver(reader, section);
  section.schema = reader.argv("schema", section.dir).value_or(std::vector<std::string>());
  if (const auto timeout = reader.duration("timeout", std::chrono::seconds(1))) section.timeout = *timeout;
  const rules::Duration shortest = std::chrono::milliseconds(100);
  if (const auto interval = reader.duration("identify_interval", shortest)) section.identify_interval = *interval;
  // What is there but wrong counts, so that one mistake is told once.
  const bool may_switch = reader.has("switch") || reader.has("rollback") || !known_driver;
  spec.has_driver = can_switch(section) || may_switch;
  spec.has_identity = can_identify(section) || reader.has("identify") || !known_driver;
  read_judgement(reader, spec);
  read_short_form(reader, entry.name, single);
  if (known_driver) {
    reader.refuse_later(Vocabulary::service_key);
    reader.finish();
  }
  loading.config.core.services.push_back(std::move(spec));
  loading.config.drivers.push_back(std::move(section));
}

}  // namespace

void read_services(Loading& loading, TableReader& root) {
  const std::vector<NamedTable> tables = named_tables(root, "service", is_plan_name, "[a-z_][a-z0-9_-]*");
  for (const NamedTable& entry : tables) read_service(loading, entry, tables.size() == 1);
}

}  // namespace watcher
