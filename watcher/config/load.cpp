#include <filesystem>
#include <fstream>

#include "watcher/config/permissions.hpp"
#include "watcher/config/references.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/short_form.hpp"

namespace watcher {

namespace {

constexpr std::size_t file_length_max = 4 * 1024 * 1024;  // bytes; a configuration is kilobytes

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
  compute_keep(loading);
}

void describe_shapes(Config& config) {
  for (const probes::ProbeConfig& probe : config.probes) {
    rules::ProbeShape shape;
    shape.name = probe.name;
    shape.interval = probe.interval;
    shape.max_gap = probe.max_gap;
    if (const auto* http = std::get_if<probes::HttpProbe>(&probe.what)) {
      shape.instances = std::max<std::size_t>(1, http->urls.size());
    } else if (const auto* page = std::get_if<probes::PrometheusProbe>(&probe.what)) {
      shape.instances = page->urls.size();
    }
    config.core.probes.push_back(std::move(shape));
  }
}

Loaded failed(Place place, const std::string& what) {
  Loaded out;
  out.findings.push_back({Level::error, place.line, place.column, what});
  return out;
}

Loaded load(const std::string& text, const std::string& path, bool look_at_permissions) {
  toml::table table;
  try {
    table = toml::parse(std::string_view(text), std::string_view(path));
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return failed({static_cast<std::size_t>(at.line), static_cast<std::size_t>(at.column)},
                  "not TOML: " + std::string(error.description()));
  }
  const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  const Source source(text);
  Loading loading(source, whole.parent_path().string());
  loading.config.path = path;
  loading.config.dir = loading.dir;
  read_all(loading, table);
  describe_shapes(loading.config);
  if (look_at_permissions) check_permissions(loading, whole.string());
  Loaded out;
  out.findings = loading.findings.sorted();
  if (!loading.findings.has_errors()) out.config = std::move(loading.config);
  return out;
}

}  // namespace

Loaded load_config_text(const std::string& text, const std::string& path) { return load(text, path, false); }

Loaded load_config(const std::string& path) {
  std::error_code failure;
  if (!std::filesystem::exists(path, failure)) return failed({}, "there is no such file; name it with --config FILE");
  if (!std::filesystem::is_regular_file(path, failure)) return failed({}, "is not a file");
  std::ifstream file(path, std::ios::binary);
  std::string text(file_length_max + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return failed({}, "cannot be read by this user");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > file_length_max) return failed({}, "is larger than 4 MiB");
  return load(text, path, true);
}

std::string format_finding(const std::string& path, const Finding& finding) {
  std::string out = path;
  if (finding.line > 0) out += ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column);
  switch (finding.level) {
    case Level::error: out += ": error: "; break;
    case Level::warning: out += ": warning: "; break;
  }
  return out + finding.what;
}

}  // namespace watcher
