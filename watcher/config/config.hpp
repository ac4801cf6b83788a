#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/clock.hpp"
#include "probes/config.hpp"
#include "probes/memory_budget.hpp"
#include "rules/engine/config.hpp"
#include "watcher/config/drivers.hpp"
#include "watcher/config/notifier.hpp"

namespace watcher {

// The whole configuration, checked. What decides is in `core`; the rest says how to ask, act, tell and serve.

struct WatcherSection {
  std::string name;  // default: host name
  std::string state_dir = "/var/lib/rollbackd";
  std::string listen = "127.0.0.1:9877";  // or "off"
  std::vector<std::string> hosts;         // our names in Host headers, besides addresses and localhost
  std::string control = "/run/rollbackd/control.sock";
  std::string control_group;
  std::string runner;                                    // socket; empty: the watcher does everything itself
  std::string runner_user = "rollbackd";                 // who may ask the runner, besides root
  std::string runner_dir = "/var/lib/rollbackd-runner";  // what the runner keeps
  std::optional<Text> token;
  rules::Duration record = std::chrono::hours(24);
  std::int64_t memory = probes::memory_default;  // bytes that all targets together may make us keep
  std::string environment;                       // "staging", "production"; free text
  std::optional<Text> heartbeat;                 // address that is asked while we live and could act
  rules::Duration heartbeat_every = std::chrono::minutes(1);
};

struct DriverSection {
  rules::ServiceName service;
  std::string dir;  // default working directory of its steps
  DriverKind driver;
  std::vector<std::string> schema;                     // argv that prints the schema's version
  rules::Duration timeout = std::chrono::minutes(30);  // of build and switch
  rules::Duration identify_interval = std::chrono::seconds(10);
};

struct Config {
  std::string path;
  std::string dir;   // that relative paths start at
  std::string hash;  // of the file's bytes, as hexadecimal digits
  WatcherSection watcher;
  std::vector<probes::ProbeConfig> probes;
  std::vector<DriverSection> drivers;
  std::vector<NotifierSection> notifiers;
  rules::CoreConfig core;
  // What { file = ... } and { env = ... } stood for, and what stands in the file and is a secret all the same: nothing
  // that is told may have it in it. See steps/redact.hpp, config/literal_secrets.hpp.
  std::vector<std::string> secrets;
  std::vector<std::string> literal_secrets;  // the keys in which such a one stands: "probe.app.header"
};

// Whether a configuration is read to be shown to its owner with the secrets that stand in it.
enum class Secrets { hidden, shown };

enum class Level { error, warning };

// One finding, at its place in the file.
struct Finding {
  Level level = Level::error;
  std::size_t line = 0;  // from 1; 0: the file as a whole
  std::size_t column = 0;
  std::string what;  // what is wrong, the nearest known name where there is one, what to write instead
};

struct Loaded {
  std::optional<Config> config;   // none when there is an error
  std::vector<Finding> findings;  // sorted by place
};

// Reads and checks a file. Never throws for what is in it or whether it exists.
Loaded load_config(const std::string& path, Secrets secrets = Secrets::hidden);
// The same from a text; `path` is what findings name and what relative paths start from. Permissions are not looked at.
Loaded load_config_text(const std::string& text, const std::string& path, Secrets secrets = Secrets::hidden);

// Only [watcher], for commands that must reach the watcher though the rest of the file is wrong meanwhile. The findings
// are those of that table; it must be there to be read, but the file may say nothing of it.
struct LoadedWatcher {
  std::optional<WatcherSection> watcher;  // none when there is an error
  std::vector<Finding> findings;
};
LoadedWatcher load_watcher_section(const std::string& path);

// As whom the service's driver runs.
Whom whom_of(const DriverSection& section);
// Every command that the configuration names.
std::vector<NamedCommand> commands_of(const Config& config);

// FILE:LINE:COLUMN: error: ...
std::string format_finding(const std::string& path, const Finding& finding);

// The configuration with everything implied written out, as TOML that means the same. Secrets stay references
// ({ file = ... }, { env = ... }) or are "<redacted>", unless it was read to show them.
std::string expand(const Config& config);

}  // namespace watcher
