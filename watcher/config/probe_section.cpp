#include <algorithm>

#include "watcher/config/sections.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

using probes::ExecFormat;

enum class ProbeType { http, prometheus, host, exec, tcp };

// Polls are started from one tick of 10 ms.
constexpr rules::Duration interval_least = std::chrono::milliseconds(10);
constexpr std::int64_t redirects_most = 10;
constexpr rules::Duration timeout_default = std::chrono::seconds(5);

void check_text_url(TableReader& reader, Place place, const std::string& owner, const Text& url) {
  const std::string shown = url.secret ? owner + " (from " + url.origin + ")" : owner;
  check_url(reader.loading(), place, shown, url.value);
}

std::vector<Text> read_urls(TableReader& reader) {
  std::vector<Text> out;
  if (const toml::node* several = reader.node("urls")) {
    if (const toml::array* array = several->as_array()) {
      for (const toml::node& one : *array) {
        std::optional<Text> url = read_text(reader.loading(), one, reader.owner("urls"));
        if (!url) continue;
        check_text_url(reader, place_of(one), reader.owner("urls"), *url);
        out.push_back(*std::move(url));
      }
      if (array->empty()) reader.error("urls", "expected at least one address");
    } else {
      reader.error("urls", "expected an array of strings");
    }
    if (reader.has("url")) reader.error("url", "give either url or urls");
    reader.node("url");
    return out;
  }
  if (!reader.has("url")) {
    reader.missing("url", "write url = \"http://HOST:PORT/PATH\"");
    return out;
  }
  if (std::optional<Text> url = reader.text("url")) {
    check_text_url(reader, reader.place("url"), reader.owner("url"), *url);
    out.push_back(*std::move(url));
  }
  return out;
}

probes::HttpOptions read_http_options(TableReader& reader) {
  probes::HttpOptions out;
  out.headers = read_headers(reader);
  out.body_max = reader.size("body_max").value_or(out.body_max);
  out.redirects = static_cast<int>(reader.integer("redirects", 0, redirects_most).value_or(0));
  if (const toml::table* table = reader.subtable("tls")) {
    TableReader tls(reader.loading(), *table, reader.owner("tls"));
    out.tls.ca_file = tls.path("ca_file").value_or("");
    out.tls.server_name = tls.string("server_name").value_or("");
    out.tls.verify = tls.boolean("verify").value_or(true);
    tls.finish();
  }
  return out;
}

void check_fields(TableReader& reader, std::string_view key, const std::string& field) {
  const bool taken = field == "up" || field == "duration";
  if (is_measurement_name(field) && !taken) return;
  reader.error(key, taken ? "the field \"" + field + "\" is the probe's own; choose another name"
                          : "the name \"" + field + "\" must match [a-z_][a-z0-9_]*");
}

void check_pointer(TableReader& reader, std::string_view key, const std::string& pointer) {
  if (pointer.empty() || pointer.front() == '/') return;
  reader.error(key, "\"" + pointer + "\" is not a JSON pointer; write \"/" + pointer + "\"");
}

void read_checks(TableReader& reader, probes::HttpProbe& out) {
  out.json = reader.string_map("json").value_or(std::map<std::string, std::string>());
  for (const auto& [field, pointer] : out.json) {
    check_fields(reader, "json", field);
    check_pointer(reader, "json", pointer);
  }
  const toml::table* const checks = reader.subtable("check");
  if (checks == nullptr) return;
  TableReader each(reader.loading(), *checks, reader.owner("check"));
  for (const auto& [name, value] : *checks) {
    const std::string field(name.str());
    check_fields(reader, "check", field);
    if (out.json.contains(field)) each.error(field, "is a number of json already; choose another name");
    const toml::table* const pointers = each.subtable(field);
    if (pointers == nullptr) continue;
    for (const auto& [pointer, wanted] : *pointers) {
      check_pointer(each, field, std::string(pointer.str()));
      out.check[field].emplace(pointer.str(), json_text(reader.loading(), wanted, each.owner(field)));
    }
  }
}

// The method's key holds the address: get = "http://...".
void read_step_url(TableReader& reader, probes::HttpRequestConfig& out) {
  bool found = false;
  for (const std::string_view method : {"get", "post", "put", "patch", "delete", "head"}) {
    const bool given = reader.has(method);
    std::optional<Text> url = reader.text(method);
    if (!given) continue;
    if (found) reader.error(method, "a step makes one request; write another [[...step]] for it");
    found = true;
    out.method = std::string(method);
    std::transform(out.method.begin(), out.method.end(), out.method.begin(),
                   [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    if (!url) continue;
    if (url->value.find('{') == std::string::npos)
      check_text_url(reader, reader.place(method), reader.owner(method), *url);
    out.url = *std::move(url);
  }
  if (!found) {
    reader.loading().findings.error(reader.place(),
                                    reader.owner() + ": no request; write get = \"URL\" or post = \"URL\"");
  }
}

probes::HttpRequestConfig read_step(Loading& loading, const toml::table& table, const std::string& owner) {
  TableReader reader(loading, table, owner);
  probes::HttpRequestConfig out;
  read_step_url(reader, out);
  out.headers = read_headers(reader);
  read_body(reader, out.body, out.content_type);
  bool expects = false;
  out.expect = read_expectation(reader, expects);
  out.save = reader.string_map("save").value_or(std::map<std::string, std::string>());
  for (const auto& [name, source] : out.save) {
    if (!source.starts_with("json:/")) {
      reader.error("save", "\"" + source + "\" is not \"json:/POINTER\", which says where in the answer the value is");
    }
  }
  reader.finish();
  return out;
}

probes::HttpProbe read_http(TableReader& reader) {
  probes::HttpProbe out;
  const std::vector<const toml::table*> steps = reader.subtables("step");
  for (const toml::table* step : steps) {
    out.steps.push_back(read_step(reader.loading(), *step, reader.owner("step")));
  }
  if (steps.empty() || reader.has("url") || reader.has("urls")) out.urls = read_urls(reader);
  if (!steps.empty() && !out.urls.empty()) {
    reader.error(reader.has("url") ? "url" : "urls", "a journey's addresses stand in its steps");
  }
  out.options = read_http_options(reader);
  out.expect = read_expectation(reader, out.expects);
  if (!steps.empty() && out.expects) reader.error("expect", "a journey's expectations stand in its steps");
  read_checks(reader, out);
  return out;
}

probes::HostProbe read_host(TableReader& reader) {
  probes::HostProbe out;
  if (auto disks = reader.strings("disks")) out.disks = *std::move(disks);
  out.proc = reader.path("proc").value_or(out.proc);
  out.cgroup = reader.string("cgroup").value_or("");
  out.cgroup_root = reader.path("cgroup_root").value_or(out.cgroup_root);
  return out;
}

void check_values(TableReader& reader, const probes::ExecProbe& probe) {
  for (const auto& [field, source] : probe.values) {
    check_fields(reader, "values", field);
    if (probe.format == ExecFormat::json) check_pointer(reader, "values", source);
    if (probe.format == ExecFormat::regex) check_pattern(reader, "values", source);
  }
  const bool takes_values = probe.format == ExecFormat::json || probe.format == ExecFormat::regex;
  if (takes_values && probe.values.empty()) {
    reader.missing("values", "say what to take, such as values = { hits = 'hits:(\\d+)' }");
  }
  if (!takes_values && !probe.values.empty())
    reader.error("values", "only format = \"json\" and \"regex\" take values");
}

probes::ExecProbe read_exec(TableReader& reader) {
  probes::ExecProbe out;
  out.dir = reader.path("dir").value_or(reader.loading().dir);
  if (!reader.has("run")) reader.missing("run", "write run = [\"COMMAND\", \"ARGUMENT\"]");
  out.run = reader.argv("run", out.dir).value_or(std::vector<std::string>());
  out.format = reader
                   .choice<ExecFormat>("format", {{"nagios", ExecFormat::nagios},
                                                  {"exit", ExecFormat::exit},
                                                  {"number", ExecFormat::number},
                                                  {"prometheus", ExecFormat::prometheus},
                                                  {"json", ExecFormat::json},
                                                  {"regex", ExecFormat::regex}})
                   .value_or(ExecFormat::exit);
  out.values = reader.string_map("values").value_or(std::map<std::string, std::string>());
  out.env = reader.text_map("env").value_or(std::map<std::string, Text>());
  out.user = reader.string("user").value_or("");
  check_values(reader, out);
  return out;
}

probes::TcpProbe read_tcp(TableReader& reader) {
  probes::TcpProbe out;
  if (!reader.has("host")) reader.missing("host", "write host = \"127.0.0.1\"");
  if (!reader.has("port")) reader.missing("port", "write port = 5432");
  out.host = reader.string("host").value_or("");
  out.port = static_cast<std::uint16_t>(reader.integer("port", 1, 65535).value_or(0));
  return out;
}

void read_timing(TableReader& reader, probes::ProbeConfig& out) {
  if (const auto interval = reader.duration("interval", interval_least)) out.interval = *interval;
  out.timeout = reader.duration("timeout", interval_least).value_or(std::min(out.interval, timeout_default));
  out.max_gap =
      reader.duration("max_gap", out.interval).value_or(std::max(out.interval * 5 / 2, out.interval + out.timeout));
  const std::vector<std::string> faults = reader.strings("down_on").value_or(std::vector<std::string>());
  for (const std::string& fault : faults) {
    if (fault == "dns")
      out.down_on.dns = true;
    else if (fault == "no_route")
      out.down_on.no_route = true;
    else
      reader.error("down_on",
                   "unknown \"" + fault + "\"" + did_you_mean(fault, {"dns", "no_route"}) + " (dns, no_route)");
  }
}

void read_what(TableReader& reader, ProbeType type, probes::ProbeConfig& out) {
  switch (type) {
    case ProbeType::http:
      out.what = read_http(reader);
      return;
    case ProbeType::prometheus: {
      probes::PrometheusProbe page;
      page.urls = read_urls(reader);
      page.options = read_http_options(reader);
      out.what = std::move(page);
      return;
    }
    case ProbeType::host:
      out.what = read_host(reader);
      return;
    case ProbeType::exec:
      out.what = read_exec(reader);
      return;
    case ProbeType::tcp:
      out.what = read_tcp(reader);
      return;
  }
}

const std::vector<std::pair<std::string, ProbeType>>& probe_types() {
  static const std::vector<std::pair<std::string, ProbeType>> types{{"http", ProbeType::http},
                                                                    {"prometheus", ProbeType::prometheus},
                                                                    {"host", ProbeType::host},
                                                                    {"exec", ProbeType::exec},
                                                                    {"tcp", ProbeType::tcp}};
  return types;
}

// Nobody knows what the table is to be: what is wrong whatever it is, is still told. A type of a later version has keys
// that nobody here knows.
void read_without_type(TableReader& reader) {
  probes::ProbeConfig unused;
  if (const std::optional<ProbeType> meant = reader.meant("type", probe_types()))
    return read_what(reader, *meant, unused);
  if (reader.is_later("type", Vocabulary::probe_type)) return reader.skip_rest();
  for (const auto& [name, type] : probe_types()) {
    Loading trial(reader.loading().source, reader.loading().dir);
    TableReader as_type(trial, reader.table(), reader.owner());
    read_what(as_type, type, unused);
    reader.know_what(as_type);
  }
}

void read_probe(Loading& loading, const NamedTable& entry) {
  TableReader reader(loading, *entry.table, "probe." + entry.name);
  loading.probe_names.insert(entry.name);
  probes::ProbeConfig out = probe_with_defaults(entry.name);
  if (!reader.has("type")) reader.missing("type", "one of http, prometheus, host, exec, tcp");
  const std::optional<ProbeType> type = reader.choice<ProbeType>("type", probe_types(), Vocabulary::probe_type);
  read_timing(reader, out);
  if (type) {
    read_what(reader, *type, out);
    loading.config.probes.push_back(std::move(out));
  } else {
    loading.unreadable_probes.insert(entry.name);
    read_without_type(reader);
  }
  reader.finish();
}

}  // namespace

probes::ProbeConfig probe_with_defaults(const std::string& name) {
  probes::ProbeConfig out;
  out.name = rules::ProbeName(name);
  return out;
}

void read_probes(Loading& loading, TableReader& root) {
  for (const NamedTable& entry : named_tables(root, "probe", is_measurement_name, "[a-z_][a-z0-9_]*")) {
    read_probe(loading, entry);
  }
}

}  // namespace watcher
