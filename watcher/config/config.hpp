#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "probes/clock.hpp"
#include "probes/config.hpp"
#include "probes/memory_budget.hpp"
#include "rules/engine/config.hpp"
#include "watcher/config/notifier.hpp"

namespace watcher {

// The whole configuration, checked. What decides is in `core`; the rest says how to ask, act, tell and serve.

using rules::Text;

struct WatcherSection {
  std::string name;  // default: host name
  std::string state_dir = "/var/lib/rollbackd";
  std::string listen = "127.0.0.1:9877";  // or "off"
  std::vector<std::string> hosts;         // our names in Host headers, besides addresses and localhost
  std::string control = "/run/rollbackd/control.sock";
  std::string control_group;
  std::optional<Text> token;
  rules::Duration record = std::chrono::hours(24);
  std::int64_t memory = probes::memory_default;  // bytes that all targets together may make us keep
  std::string environment;                       // "staging", "production"; free text
  std::optional<Text> heartbeat;                 // address that is asked while we live and could act
  rules::Duration heartbeat_every = std::chrono::minutes(1);
};

// Each kind of driver says of itself which keys it has, how it is made, what it can do, which commands it runs; that
// stands in its file in drivers/.

class Driver;
struct DriverSection;

// As whom something is run: see runs_as().
struct Whom {
  std::string user;   // as it is configured
  std::string dir{};  // without a user, its owner; empty: we ourselves
};

// A command that the configuration names.
struct NamedCommand {
  std::string owner;  // "service.web.switch"
  std::vector<std::string> argv;
  Whom whom;
};

struct CommandDriver {
  std::vector<std::string> identify;   // prints the revision; may be empty (SPEC 2.18)
  std::vector<std::string> ready;      // exit 0: could switch; may be empty
  std::vector<std::string> switch_to;  // {to} and {from} expand
  std::string dir;
  std::string user;  // of all three; empty: we ourselves

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool identifies() const;
  bool switches() const;
  Whom whom() const;
  std::vector<NamedCommand> commands(const std::string& owner) const;
};

struct GitDriver {
  std::string dir;
  std::vector<std::string> paths;  // partial rollback; empty: the whole tree
  std::vector<std::string> build;
  std::vector<std::string> restart;
  std::string user;          // of git, build and restart; empty: the owner of dir
  std::string restart_user;  // of restart alone; empty: as user
  rules::Duration build_timeout = std::chrono::minutes(30);
  rules::Duration restart_timeout = std::chrono::minutes(30);

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool identifies() const;
  bool switches() const;
  Whom whom() const;  // of git and build
  std::vector<NamedCommand> commands(const std::string& owner) const;
};

struct ComposeDriver {
  std::string dir;
  std::vector<std::string> files;     // in their order; empty: the one that Compose finds in dir
  std::vector<std::string> services;  // of the project; empty: the one of the service's name
  std::string project;                // empty: that of the containers which were started from dir
  std::vector<std::string> profiles;
  std::vector<std::string> compose;  // empty: the plugin of docker, else docker-compose
  std::string user;                  // empty: the owner of dir
  std::vector<std::string> keep;     // files below dir
  bool restores_files = false;       // on a switch, those of keep
  rules::Duration up_timeout = std::chrono::minutes(10);

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool identifies() const;
  bool switches() const;
  Whom whom() const;
  std::vector<NamedCommand> commands(const std::string& owner) const;
};

struct SystemdDriver {
  std::string dir;
  std::vector<std::string> units;  // that run from the link, with their ending; empty: the one of the service's name
  std::string link;                // points to the release that is to run
  std::string releases;            // a folder each; empty: `releases` beside the link
  std::vector<std::string> systemctl;  // empty: systemctl
  rules::Duration restart_timeout = std::chrono::minutes(5);
  rules::Duration steady = std::chrono::seconds(5);  // for which the units have to stay active

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool identifies() const;
  bool switches() const;
  Whom whom() const;
  std::vector<NamedCommand> commands(const std::string& owner) const;
};

struct Pm2Driver {
  std::string dir;
  std::vector<std::string> processes;  // names that pm2 knows them by; empty: the service's name
  std::vector<std::string> build;
  std::vector<std::string> pm2;  // empty: pm2
  std::string home;              // PM2_HOME; empty: .pm2 in the user's home
  std::string user;              // of git, build and pm2; empty: the owner of dir
  rules::Duration build_timeout = std::chrono::minutes(30);
  rules::Duration restart_timeout = std::chrono::minutes(5);
  rules::Duration steady = std::chrono::seconds(5);  // for which the processes have to stay online

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool identifies() const;
  bool switches() const;
  Whom whom() const;
  std::vector<NamedCommand> commands(const std::string& owner) const;
};

// A workflow of a CI is asked for the switch over HTTP, and waited for; the application's version endpoint says what
// runs.
struct HttpDriver {
  std::string dir;
  Text version;               // address
  std::string version_json;   // JSON pointer of the revision; empty: the first line of the body
  std::string version_match;  // RE2 whose group is the revision; empty: all of it
  std::map<std::string, Text> version_headers;
  rules::HttpStep dispatch;                  // {to} {from} {id}; its headers go with whatever the CI is asked
  Text runs;                                 // address of the list of runs; {since} {id} {to} {from}
  Text target;                               // address that answers 2xx while the target {to} is there; may be empty
  std::string runs_json = "/workflow_runs";  // JSON pointer of the list
  std::vector<std::string> run_has_id{"/display_title", "/name"};  // JSON pointers in a run, one of which names {id}
  std::map<std::string, std::string> done{{"/status", "\"completed\""}};  // JSON pointer -> JSON text, or several
  std::map<std::string, std::string> success{{"/conclusion", "\"success\""}};
  std::string run_link = "/html_url";
  std::string ca_file;  // empty: the system's
  rules::Duration poll_interval = std::chrono::seconds(10);
  rules::Duration appears_within = std::chrono::minutes(2);  // after the request
  rules::Duration version_within = std::chrono::minutes(1);  // after the run's success

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool identifies() const;
  bool switches() const;
  Whom whom() const;
  std::vector<NamedCommand> commands(const std::string& owner) const;
};

using DriverKind =
    std::variant<std::monostate, CommandDriver, GitDriver, ComposeDriver, SystemdDriver, Pm2Driver, HttpDriver>;

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
  std::string dir;  // that relative paths start at
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
