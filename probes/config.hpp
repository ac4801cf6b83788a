#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rules/base/fault.hpp"
#include "rules/base/names.hpp"
#include "rules/base/time.hpp"
#include "rules/incidents/plan.hpp"
#include "rules/signals/selector.hpp"

namespace probes {

// What each probe is to do, as checked by the configuration. Each type says of itself which keys it has (variety), how
// it is asked (make), and which fields it has before it was asked (fields; `any_field`: what it has is not known
// before). That stands in the type's file in probes/ask/.

class Probe;
struct ProbeConfig;
struct Surroundings;
struct Variety;
using ProbeList = std::vector<std::unique_ptr<Probe>>;

using rules::Expectation;
using rules::Text;

inline constexpr std::int64_t body_limit_default = 8 * 1024 * 1024;  // bytes of a response body

struct TlsOptions {
  std::string ca_file;      // empty: the system's
  std::string server_name;  // empty: the URL's host
  bool verify = true;
  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

struct HttpOptions {
  std::map<std::string, Text> headers;
  TlsOptions tls;
  std::int64_t body_max = body_limit_default;
  int redirects = 0;  // followed at most
  friend bool operator==(const HttpOptions&, const HttpOptions&) = default;
};

// One request of an http probe; a probe without steps has exactly one.
struct HttpRequestConfig {
  std::string method = "GET";
  Text url;  // may have {name} of values saved before, in a journey
  std::map<std::string, Text> headers;
  Text body;
  std::string content_type;
  Expectation expect;
  std::map<std::string, std::string> save;  // name -> where it is, see ask/save_source.hpp
  friend bool operator==(const HttpRequestConfig&, const HttpRequestConfig&) = default;
};

struct HttpProbe {
  std::vector<Text> urls;  // several: several instances; exactly one with steps
  HttpOptions options;
  Expectation expect;
  bool expects = false;                                             // anything at all was expected explicitly
  std::map<std::string, std::string> json;                          // field -> JSON pointer of a number
  std::map<std::string, std::map<std::string, std::string>> check;  // field -> (JSON pointer -> JSON text)
  std::vector<HttpRequestConfig> steps;                             // a journey; urls is empty then
  static Variety variety();
  ProbeList make(const ProbeConfig& config, Surroundings around) const;
  std::vector<std::string> fields() const;
  friend bool operator==(const HttpProbe&, const HttpProbe&) = default;
};

struct PrometheusProbe {
  std::vector<Text> urls;
  HttpOptions options;
  std::vector<rules::Selector> keep;  // what the signals want from the page; all else is skipped
  static Variety variety();
  ProbeList make(const ProbeConfig& config, Surroundings around) const;
  bool any_field() const;
  friend bool operator==(const PrometheusProbe&, const PrometheusProbe&) = default;
};

struct HostProbe {
  std::vector<std::string> disks{"/"};         // mount points for disk_used
  std::string proc = "/proc";                  // where the host's /proc is mounted
  std::string cgroup;                          // "auto", a path below the controller, or empty: the whole host
  std::string cgroup_root = "/sys/fs/cgroup";  // where the host's cgroups are mounted
  std::int64_t port = 0;                       // on which the application listens whose memory is measured; 0: none
  bool or_host = false;                        // the host's, where nobody was seen to listen there
  bool reads_disks = true;                     // a condition or a signal asks for them
  static Variety variety();
  ProbeList make(const ProbeConfig& config, Surroundings around) const;
  std::vector<std::string> fields() const;
  friend bool operator==(const HostProbe&, const HostProbe&) = default;
};

enum class ExecFormat { nagios, exit, number, prometheus, json, regex };

struct ExecProbe {
  std::vector<std::string> run;  // argv, never a shell
  ExecFormat format = ExecFormat::exit;
  std::map<std::string, std::string> values;  // field -> RE2 with one group (regex), JSON pointer (json)
  std::vector<rules::Selector> keep;          // format prometheus
  std::map<std::string, Text> env;
  std::string dir;
  std::string user;
  static Variety variety();
  ProbeList make(const ProbeConfig& config, Surroundings around) const;
  std::vector<std::string> fields() const;
  bool any_field() const;
  friend bool operator==(const ExecProbe&, const ExecProbe&) = default;
};

struct TcpProbe {
  std::string host;
  std::uint16_t port = 0;
  static Variety variety();
  ProbeList make(const ProbeConfig& config, Surroundings around) const;
  friend bool operator==(const TcpProbe&, const TcpProbe&) = default;
};

using ProbeKind = std::variant<HttpProbe, PrometheusProbe, HostProbe, ExecProbe, TcpProbe>;

struct ProbeConfig {
  rules::ProbeName name;
  rules::Duration interval = std::chrono::seconds(5);
  rules::Duration timeout = std::chrono::seconds(5);  // min(interval, 5s)
  rules::Duration max_gap = std::chrono::milliseconds(12500);
  rules::DownOn down_on;
  ProbeKind what;
  friend bool operator==(const ProbeConfig&, const ProbeConfig&) = default;
};

// What a probe can be, and the words of the contract for what this version has not.
std::span<const Variety> probe_types();

}  // namespace probes
