#include <algorithm>

#include "watcher/config/expand_parts.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

void write_urls(TomlWriter& out, const std::vector<Text>& urls) {
  if (urls.size() == 1) {
    out.text("url", urls.front());
    return;
  }
  std::string all;
  for (const Text& url : urls) all += (all.empty() ? "[" : ", ") + toml_of(url);
  if (!urls.empty()) out.raw("urls", all + "]");
}

void write_options(TomlWriter& out, const probes::HttpOptions& options) {
  out.text_map("header", options.headers);
  out.string_unless_empty("tls.ca_file", options.tls.ca_file);
  out.string_unless_empty("tls.server_name", options.tls.server_name);
  out.boolean("tls.verify", options.tls.verify);
  out.string("body_max", size_text(options.body_max));
  out.integer("redirects", options.redirects);
}

void write_checks(TomlWriter& out, const probes::HttpProbe& probe) {
  out.string_map("json", probe.json);
  for (const auto& [field, pointers] : probe.check) {
    std::string all;
    for (const auto& [pointer, value] : pointers) {
      all += (all.empty() ? "{ " : ", ") + toml_key(pointer) + " = " + toml_of_json(value);
    }
    out.raw("check." + field, all.empty() ? "{}" : all + " }");
  }
}

void write_request(TomlWriter& out, const std::string& probe, const probes::HttpRequestConfig& request) {
  out.section("[[probe." + probe + ".step]]");
  std::string method = request.method;
  std::transform(method.begin(), method.end(), method.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  out.text(method, request.url);
  out.text_map("header", request.headers);
  out.body(request.body, request.content_type);
  out.expectation(request.expect);
  out.string_map("save", request.save);
}

std::string_view format_word(probes::ExecFormat format) {
  switch (format) {
    case probes::ExecFormat::nagios:
      return "nagios";
    case probes::ExecFormat::exit:
      return "exit";
    case probes::ExecFormat::number:
      return "number";
    case probes::ExecFormat::prometheus:
      return "prometheus";
    case probes::ExecFormat::json:
      return "json";
    case probes::ExecFormat::regex:
      return "regex";
  }
  return "";
}

// The type's keys; steps of a journey are tables of their own and come last.
struct WriteWhat {
  TomlWriter& out;

  void operator()(const probes::HttpProbe& probe) const {
    write_urls(out, probe.urls);
    write_options(out, probe.options);
    out.expectation(probe.expect);
    write_checks(out, probe);
  }
  void operator()(const probes::PrometheusProbe& probe) const {
    write_urls(out, probe.urls);
    write_options(out, probe.options);
  }
  void operator()(const probes::HostProbe& probe) const {
    out.strings("disks", probe.disks);
    out.string("proc", probe.proc);
    out.string_unless_empty("cgroup", probe.cgroup);
    out.string("cgroup_root", probe.cgroup_root);
  }
  void operator()(const probes::ExecProbe& probe) const {
    out.strings("run", probe.run);
    out.string("format", format_word(probe.format));
    out.string_map("values", probe.values);
    out.text_map("env", probe.env);
    out.string_unless_empty("dir", probe.dir);
    out.string_unless_empty("user", probe.user);
  }
  void operator()(const probes::TcpProbe& probe) const {
    out.string("host", probe.host);
    out.integer("port", probe.port);
  }
};

struct TypeWord {
  std::string_view operator()(const probes::HttpProbe&) const { return "http"; }
  std::string_view operator()(const probes::PrometheusProbe&) const { return "prometheus"; }
  std::string_view operator()(const probes::HostProbe&) const { return "host"; }
  std::string_view operator()(const probes::ExecProbe&) const { return "exec"; }
  std::string_view operator()(const probes::TcpProbe&) const { return "tcp"; }
};

}  // namespace

void write_probe(TomlWriter& out, const probes::ProbeConfig& probe) {
  out.section("[probe." + probe.name.text + "]");
  out.string("type", std::visit(TypeWord(), probe.what));
  out.duration("interval", probe.interval);
  out.duration("timeout", probe.timeout);
  out.duration("max_gap", probe.max_gap);
  std::vector<std::string> down_on;
  if (probe.down_on.dns) down_on.emplace_back("dns");
  if (probe.down_on.no_route) down_on.emplace_back("no_route");
  out.strings_unless_empty("down_on", down_on);
  std::visit(WriteWhat{out}, probe.what);
  const auto* const http = std::get_if<probes::HttpProbe>(&probe.what);
  if (http == nullptr) return;
  for (const probes::HttpRequestConfig& step : http->steps) write_request(out, probe.name.text, step);
}

}  // namespace watcher
