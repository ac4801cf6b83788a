#include <algorithm>
#include <array>

#include "probes/key_rows.hpp"
#include "probes/net/url.hpp"
#include "watcher/config/health.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/literal_secrets.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/service_driver.hpp"
#include "watcher/config/shapes.hpp"
#include "watcher/config/values.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;
using probes::Variety;
using rules::FuseLimits;
using rules::ServiceSpec;

constexpr std::int64_t limit_most = 1'000'000;
constexpr rules::Duration second = std::chrono::seconds(1);

// What a [service.NAME] fills: what decides, and what switches.
struct Service {
  ServiceSpec spec;
  DriverSection section;
};

constexpr probes::Word arms[]{
    {"deploy", static_cast<int>(rules::Arm::deploy), "from the moment a revision appears until it is baked"},
    {"always", static_cast<int>(rules::Arm::always), "whenever"},
};

constexpr probes::Word thens[]{
    {"close", static_cast<int>(rules::AskThen::close), "nothing is done"},
    {"act", static_cast<int>(rules::AskThen::act), "what was asked for is done"},
};

constexpr std::array fuse_keys{
    key<Kind::integer, &FuseLimits::switches_per_revision>("switches_per_revision", "Switches away from one revision.")
        .between(1, limit_most),
    key<Kind::integer, &FuseLimits::switches_per_day>("switches_per_day", "Switches in 24 hours.")
        .between(1, limit_most),
    key<Kind::integer, &FuseLimits::mutations_per_hour>("mutations_per_hour", "Actions that change something, an hour.")
        .between(1, limit_most),
};

constexpr std::array ask_keys{
    key<Kind::duration, &ServiceSpec::ask_timeout>("timeout", "How long an answer is waited for.").at_least(second),
    probes::choice<thens, &ServiceSpec::ask_then>("then", "What is done when nobody answers."),
};

// What a short form's line stands for is written out; the line itself is not.
constexpr probes::Own short_address{"an address, may be secret", "\"http://127.0.0.1:3001/metrics\"",
                                    [](TableReader&, const Key&, void*) {}};
constexpr probes::Own short_rules{"conditions", "[\"error_rate > 5% for 5m\", \"down for 30s\"]",
                                  [](TableReader&, const Key&, void*) {}};

template <Kind How, auto Member>
constexpr Key spec_key(std::string_view name, std::string_view doc) {
  return key<How, &Service::spec, Member>(name, doc);
}

template <Kind How, auto Member>
constexpr Key section_key(std::string_view name, std::string_view doc) {
  return key<How, &Service::section, Member>(name, doc);
}

constexpr std::array keys{
    section_key<Kind::folder, &DriverSection::dir>("dir", "The folder in which its commands and steps run.")
        .when_left_out("the configuration's folder"),
    section_key<Kind::argv, &DriverSection::schema>("schema", "Prints the version of its data's schema.")
        .when_left_out("no schema is known"),
    section_key<Kind::duration, &DriverSection::timeout>("timeout", "How long a switch may take.").at_least(second),
    section_key<Kind::duration, &DriverSection::identify_interval>("identify_interval", "How often what runs is read.")
        .at_least(std::chrono::milliseconds(100)),
    probes::choice<arms, &Service::spec, &ServiceSpec::arm>("arm", "When its rules act by themselves; else they ask.")
        .when_left_out("\"deploy\" where what runs is known, else \"always\""),
    spec_key<Kind::duration, &ServiceSpec::bake>("bake", "Good time after which a revision counts as good."),
    spec_key<Kind::duration, &ServiceSpec::start_deadline>("start_deadline",
                                                           "How long a new instance may take to be up."),
    spec_key<Kind::duration, &ServiceSpec::cooldown>("cooldown",
                                                     "Pause after an action before the next incident acts."),
    spec_key<Kind::duration, &ServiceSpec::deploy_timeout>("deploy_timeout", "How long a deployment may take.")
        .at_least(second),
    probes::table<&Service::spec, &ServiceSpec::fuse>("fuse", fuse_keys, "How often it may act by itself."),
    probes::table<&Service::spec>("ask", ask_keys, "What becomes of a question."),
    spec_key<Kind::strings, &ServiceSpec::depends_on>("depends_on",
                                                      "Services whose trouble explains its own: while one is bad, "
                                                      "deployed or acted on its rules wait, at most for "
                                                      "their unless_max; then they ask.")
        .when_left_out("none"),
    key<Kind::string, &Service::spec, &ServiceSpec::explanation, &rules::Explanation::text>(
        "text", "What those who are told are to read."),
    key<Kind::string, &Service::spec, &ServiceSpec::explanation, &rules::Explanation::impact>("impact",
                                                                                              "What users notice."),
    key<Kind::string, &Service::spec, &ServiceSpec::explanation, &rules::Explanation::runbook>(
        "runbook", "Where those who are told read on: an address or a place."),
    key<Kind::string, &Service::spec, &ServiceSpec::explanation, &rules::Explanation::status_page>(
        "status_page", "Where users are told: an address."),
    own_key("health", short_address, "Short form: a probe of type http called health, and down."),
    own_key("metrics", short_address, "Short form: a probe of type prometheus called metrics, error_rate, p95, ..."),
    own_key("rules", short_rules, "Short form: rules of a line each, CONDITION for DURATION."),
};

void settle_arm(TableReader& reader, ServiceSpec& out) {
  if (!reader.has("arm")) out.arm = out.has_identity ? rules::Arm::deploy : rules::Arm::always;
  if (out.arm == rules::Arm::deploy && !out.has_identity && out.has_driver) {
    reader.error("arm", "\"deploy\" needs a revision to be read; add identify = [...], or arm = \"always\"");
  }
}

void imply_probe(TableReader& reader, std::string_view key, const std::string& name,
                 std::variant<probes::HttpProbe, probes::PrometheusProbe> what, bool& implied) {
  std::optional<Text> url = reader.text(key);
  if (!url) return;
  Loading& loading = reader.loading();
  check_url(loading, reader.place(key), reader.owner(key), url->value);
  if (loading.secrets == Secrets::hidden) loading.keep_secrets(mark_secrets_of_address(*url), reader.owner(key));
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

// Where the answer's requests are counted by path, ours are no traffic. "/" may be anybody's, and a secret stays one.
void note_address(TableReader& reader, std::string_view key, ShortForm& form) {
  const toml::node* const node = reader.table().get(key);
  const auto* const text = node == nullptr ? nullptr : node->as_string();
  if (text == nullptr) return;
  const rules::Parsed<probes::Url> url = probes::parse_url(text->get());
  if (!std::holds_alternative<probes::Url>(url)) return;
  std::string path = std::get<probes::Url>(url).target;
  if (probes::is_loopback(std::get<probes::Url>(url))) form.port = std::get<probes::Url>(url).port;
  path.resize(std::min(path.find('?'), path.size()));
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  std::vector<std::string>& known = form.own_paths;
  const bool is_new = std::find(known.begin(), known.end(), path) == known.end();
  if (path.size() > 1 && is_new) known.push_back(std::move(path));
}

void read_short_form(TableReader& reader, const std::string& service, bool single) {
  Loading& loading = reader.loading();
  ShortForm out;
  out.service = service;
  out.place = place_of(reader.table());
  if (!single) {
    out.prefix = service + "_";
    std::replace(out.prefix.begin(), out.prefix.end(), '-', '_');
  }
  for (const std::string_view key : {"health", "metrics"}) note_address(reader, key, out);
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
  loading.service_places[entry.name] = place_of(*entry.table);
  Service out;
  out.spec.name = rules::ServiceName(entry.name);
  out.section.service = out.spec.name;
  out.section.dir = loading.dir;
  reader.set_commands_dir(loading.dir);
  reader.read(keys, &out);
  const bool known_driver = read_driver(reader, keys, out.section);
  // What is there but wrong counts, so that one mistake is told once.
  const bool may_switch = reader.has("switch") || reader.has("rollback") || !known_driver;
  const DriverAbilities can = abilities_of(out.section.driver);
  out.spec.has_driver = can.switches || may_switch;
  out.spec.resumes_switch = can.resumes;
  out.spec.has_identity = can.identifies || reader.has("identify") || !known_driver;
  settle_arm(reader, out.spec);
  for (const rules::ServiceName& name : out.spec.depends_on)
    loading.depends_on[entry.name].push_back({name.text, reader.place("depends_on")});
  read_short_form(reader, entry.name, single);
  if (known_driver) reader.finish();
  loading.config.core.services.push_back(std::move(out.spec));
  loading.config.drivers.push_back(std::move(out.section));
}

}  // namespace

std::span<const Key> service_keys() { return keys; }
std::shared_ptr<void> fresh_service() { return std::make_shared<Service>(); }
void* driver_of_service(void* service) { return &static_cast<Service*>(service)->section.driver; }

void read_services(Loading& loading, TableReader& root) {
  const std::vector<NamedTable> tables = named_tables(root, "service", is_plan_name, "[a-z_][a-z0-9_-]*");
  for (const NamedTable& entry : tables) read_service(loading, entry, tables.size() == 1);
}

void write_service(TomlWriter& out, const ServiceSpec& spec, const DriverSection& section) {
  out.section("[service." + spec.name.text + "]");
  out.comment(said_of_health(spec));
  write_driver(out, section.driver);
  const Service whole{spec, section};
  write_values(out, keys, &whole);
  write_driver_tables(out, spec.name.text, section.driver);
}

}  // namespace watcher
