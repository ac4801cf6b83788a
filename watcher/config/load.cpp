#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "watcher/config/health.hpp"
#include "watcher/config/permissions.hpp"
#include "watcher/config/placeholders.hpp"
#include "watcher/config/references.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/self_told.hpp"
#include "watcher/config/short_form.hpp"
#include "watcher/drivers/compose_identity.hpp"

namespace watcher {

namespace {

constexpr std::size_t file_length_max = 4 * 1024 * 1024;  // bytes; a configuration is kilobytes

// A file that was meant to say something: a wrong name, a wrong folder, a template that came out empty.
void refuse_idle(Loading& loading) {
  if (!loading.rules.empty()) return;
  for (const ShortForm& form : loading.short_forms) {
    loading.findings.error(form.place, "service." + form.service +
                                           ": watches nothing: no rule judges what it measures; write rules = "
                                           "[\"error_rate > 5% for 5m\", \"down for 30s\"], or leave health and "
                                           "metrics out");
  }
  const std::vector<rules::ServiceSpec>& services = loading.config.core.services;
  if (services.empty()) {
    loading.findings.error({},
                           "watches nothing: there is no service; define [service.NAME] with health, metrics and rules "
                           "(rollbackd help service)");
  }
  const auto does_something = [](const rules::ServiceSpec& service) {
    return service.has_driver || service.has_identity;
  };
  if (services.empty() || std::any_of(services.begin(), services.end(), does_something)) return;
  if (!loading.config.core.actions.empty() || loading.findings.has_errors()) return;
  loading.findings.error({},
                         "watches nothing: no service has health, metrics and rules, or a way to roll it back "
                         "(rollbackd help service)");
}

// With a runner the watcher has no rights to be somebody else, and its probes are its own.
void refuse_probes_of_others(Loading& loading) {
  const WatcherSection& watcher = loading.config.watcher;
  for (const probes::ProbeConfig& probe : loading.config.probes) {
    const auto* const exec = std::get_if<probes::ExecProbe>(&probe.what);
    if (watcher.runner.empty() || exec == nullptr || exec->user.empty() || exec->user == watcher.runner_user) continue;
    loading.findings.error({}, "probe." + probe.name.text + ": user \"" + exec->user +
                                   "\": with watcher.runner the watcher runs its probes as " + watcher.runner_user +
                                   "; leave it out");
  }
}

void read_all(Loading& loading, const toml::table& table) {
  TableReader root(loading, table, "");
  read_watcher(loading, root);
  read_probes(loading, root);
  read_signals(loading, root);
  read_services(loading, root);
  read_rules(loading, root);
  read_actions(loading, root);
  read_notifiers(loading, root);
  root.finish();
  imply_rules(loading);
  imply_what_is_named(loading);
  resolve_references(loading);
  refuse_probes_of_others(loading);
  if (loading.findings.has_errors()) return;
  refuse_idle(loading);
  imply_blind_after(loading.config);
  compute_keep(loading);
}

void describe_shapes(Config& config) {
  for (const probes::ProbeConfig& probe : config.probes) {
    rules::ProbeShape shape;
    shape.name = probe.name;
    shape.interval = probe.interval;
    shape.max_gap = probe.max_gap;
    TomlWriter written;
    write_probe(written, probe);
    shape.source = written.written();
    if (const auto* http = std::get_if<probes::HttpProbe>(&probe.what)) {
      shape.instances = std::max<std::size_t>(1, http->urls.size());
    } else if (const auto* page = std::get_if<probes::PrometheusProbe>(&probe.what)) {
      shape.instances = page->urls.size();
    }
    config.core.probes.push_back(std::move(shape));
  }
}

// A file as TOML, or the one finding why not.
struct Parsed {
  std::optional<toml::table> table;
  Finding finding;
};

// The parser goes one call deeper for each part of a dotted key, and the stack has an end. Where one has more parts
// than anybody writes, the line; 0: none has.
std::size_t line_of_endless_key(const std::string& text) {
  constexpr int parts_max = 1000;
  std::size_t line = 1;
  int dots = 0;
  for (const char c : text) {
    const bool is_key = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                        std::string_view("._-\"' \t").find(c) != std::string_view::npos;
    if (c == '.') ++dots;
    if (!is_key) dots = 0;
    if (c == '\n') ++line;
    if (dots > parts_max) return line;
  }
  return 0;
}

Parsed parse(const std::string& text, const std::string& path) {
  if (const std::size_t line = line_of_endless_key(text); line > 0) {
    return {std::nullopt,
            {Level::error, line, 1, "has a key of more than 1000 parts; nothing here has more than a few"}};
  }
  try {
    return {toml::parse(std::string_view(text), std::string_view(path)), {}};
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return {std::nullopt,
            {Level::error, static_cast<std::size_t>(at.line), static_cast<std::size_t>(at.column),
             "not TOML: " + std::string(error.description())}};
  }
}

std::string whole_path(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

Loaded load(const std::string& text, const std::string& path, Secrets secrets, bool look_at_permissions) {
  const Parsed parsed = parse(text, path);
  if (!parsed.table) return {std::nullopt, {parsed.finding}};
  const std::string whole = whole_path(path);
  const Source source(text);
  Loading loading(source, std::filesystem::path(whole).parent_path().string());
  loading.secrets = secrets;
  loading.config.path = path;
  loading.config.hash = sha256_hex(text);
  loading.config.dir = loading.dir;
  read_all(loading, *parsed.table);
  describe_shapes(loading.config);
  name_health(loading.config);
  check_placeholders(loading);
  check_self_told(loading);
  if (look_at_permissions) check_permissions(loading, whole);
  Loaded out;
  out.findings = loading.findings.sorted();
  if (!loading.findings.has_errors()) out.config = std::move(loading.config);
  return out;
}

// The file's text, or why it cannot be read.
std::variant<std::string, Finding> read_file(const std::string& path) {
  const auto failed = [](const char* what) { return Finding{Level::error, 0, 0, what}; };
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) {
    return failed(failure ? "cannot be read by this user" : "there is no such file; name it with --config FILE");
  }
  if (!std::filesystem::is_regular_file(path, failure)) return failed("is not a file");
  std::ifstream file(path, std::ios::binary);
  std::string text(file_length_max + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return failed("cannot be read by this user");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > file_length_max) return failed("is larger than 4 MiB");
  return text;
}

}  // namespace

Loaded load_config_text(const std::string& text, const std::string& path, Secrets secrets) {
  return load(text, path, secrets, false);
}

Loaded load_config(const std::string& path, Secrets secrets) {
  const std::variant<std::string, Finding> text = read_file(path);
  if (const auto* failure = std::get_if<Finding>(&text)) return {std::nullopt, {*failure}};
  return load(std::get<std::string>(text), path, secrets, true);
}

LoadedWatcher load_watcher_section(const std::string& path) {
  const std::variant<std::string, Finding> text = read_file(path);
  if (const auto* failure = std::get_if<Finding>(&text)) return {std::nullopt, {*failure}};
  const Parsed parsed = parse(std::get<std::string>(text), path);
  if (!parsed.table) return {std::nullopt, {parsed.finding}};
  const Source source(std::get<std::string>(text));
  Loading loading(source, std::filesystem::path(whole_path(path)).parent_path().string());
  TableReader root(loading, *parsed.table, "");
  read_watcher(loading, root);
  LoadedWatcher out;
  out.findings = loading.findings.sorted();
  if (!loading.findings.has_errors()) out.watcher = std::move(loading.config.watcher);
  return out;
}

std::string format_finding(const std::string& path, const Finding& finding) {
  std::string out = path;
  if (finding.line > 0) out += ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column);
  switch (finding.level) {
    case Level::error:
      out += ": error: ";
      break;
    case Level::warning:
      out += ": warning: ";
      break;
  }
  return out + finding.what;
}

}  // namespace watcher
