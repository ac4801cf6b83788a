#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "probes/clock.hpp"
#include "probes/config.hpp"
#include "rules/base/seldom.hpp"
#include "rules/engine/config.hpp"

namespace watcher {

using rules::Text;

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

// Commands of one key that are run behind each other, under the names by which findings call them: one as the key,
// several as "service.web.build[0]" and so on.
std::string numbered(const std::string& owner, std::size_t i);
std::vector<NamedCommand> named_commands(const std::string& owner,
                                         const std::vector<std::vector<std::string>>& commands, const Whom& whom);

// What a driver changes when it switches. Two services that have the same would switch each other.
struct Ground {
  enum class Extent {
    alone,   // the place itself
    tree,    // and what lies below it
    prefix,  // and all that begins so: a glob up to its first wildcard
  };
  std::string where;  // only places of the same are compared: "units", "checkout /opt/app"
  std::string place;
  Extent extent = Extent::alone;
  std::string shown;               // the place, for people
  std::string advice;              // what to do when another service of the same driver has it
  std::string advice_otherwise{};  // when one of another driver has
};

// What each driver says of itself, and so nothing outside of drivers/ has to know one by its name. A driver's struct
// says again what is otherwise with it; the one that a DriverKind holds is asked, nothing is virtual.
struct DriverTraits {
  std::string dir;  // the service's

  bool identifies() const { return true; }        // what runs can be read
  bool switches() const { return true; }          // it can be changed
  bool resumes() const { return false; }          // a switch that was broken off may be done again
  bool runs_here() const { return false; }        // needs no rights: it stays in the watcher where there is a runner
  Whom whom() const { return {}; }                // as whom it runs
  std::string implied_dir() const { return {}; }  // the service's folder where `dir` is not written; empty: the usual
  // Every command that it runs, for those who look at whether it may.
  std::vector<NamedCommand> commands(const std::string&) const { return {}; }
  // Of these, what a switch runs in dir from the files of the target; the owner is the key alone.
  std::vector<NamedCommand> run_from_target() const { return {}; }
  std::vector<Ground> grounds(const rules::ServiceName&) const { return {}; }
  // Files and folders that it relies on, which no checkout of another service may bring or take away.
  std::vector<std::string> relies_on() const { return {}; }
};

struct CommandDriver : DriverTraits {
  std::vector<std::string> identify;   // prints the revision; may be empty (SPEC 2.18)
  std::vector<std::string> ready;      // exit 0: could switch; may be empty
  std::vector<std::string> switch_to;  // {to} and {from} expand
  std::string user;                    // of all three; empty: we ourselves

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool identifies() const { return !identify.empty(); }
  bool switches() const { return !switch_to.empty(); }
  Whom whom() const;
  std::vector<NamedCommand> commands(const std::string& owner) const;
};

struct GitDriver : DriverTraits {
  std::vector<std::string> paths;               // partial rollback; empty: the whole tree
  std::vector<std::vector<std::string>> build;  // in their order, up to the first that fails
  std::vector<std::string> restart;
  std::string user;                                          // of git, build and restart; empty: the owner of dir
  std::string restart_user;                                  // of restart alone; empty: as user
  rules::Duration build_timeout = std::chrono::minutes(30);  // of all of them
  rules::Duration restart_timeout = std::chrono::minutes(30);

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool resumes() const { return true; }
  Whom whom() const;  // of git and build
  std::vector<NamedCommand> commands(const std::string& owner) const;
  std::vector<NamedCommand> run_from_target() const;
  std::vector<Ground> grounds(const rules::ServiceName& service) const;
};

struct ComposeDriver : DriverTraits {
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
  std::string implied_dir() const;
  Whom whom() const;
  std::vector<NamedCommand> commands(const std::string& owner) const;
  std::vector<Ground> grounds(const rules::ServiceName& service) const;
};

struct SystemdDriver : DriverTraits {
  std::vector<std::string> units;  // that run from the link, with their ending; empty: the one of the service's name
  std::string link;                // points to the release that is to run
  std::string releases;            // a folder each; empty: `releases` beside the link
  std::vector<std::string> systemctl;  // empty: systemctl
  rules::Duration restart_timeout = std::chrono::minutes(5);
  rules::Duration steady = std::chrono::seconds(5);  // for which the units have to stay active

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool resumes() const { return true; }
  std::vector<NamedCommand> commands(const std::string& owner) const;
  std::vector<Ground> grounds(const rules::ServiceName& service) const;
  std::vector<std::string> relies_on() const;
};

struct Pm2Driver : DriverTraits {
  std::vector<std::string> processes;                        // names that pm2 knows them by; empty: the service's name
  std::vector<std::vector<std::string>> build;               // in their order, up to the first that fails
  std::vector<std::string> pm2;                              // empty: pm2
  std::string home;                                          // PM2_HOME; empty: .pm2 in the user's home
  std::string user;                                          // of git, build and pm2; empty: the owner of dir
  rules::Duration build_timeout = std::chrono::minutes(30);  // of all of them
  rules::Duration restart_timeout = std::chrono::minutes(5);
  rules::Duration steady = std::chrono::seconds(5);  // for which the processes have to stay online

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool resumes() const { return true; }
  Whom whom() const;
  std::vector<NamedCommand> commands(const std::string& owner) const;
  std::vector<Ground> grounds(const rules::ServiceName& service) const;
};

// What a workflow of a CI is asked for, and how it is waited for; the application's version endpoint says what runs.
struct HttpWorkflow {
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
};

// A workflow is asked for the switch over HTTP.
struct HttpDriver : DriverTraits {
  rules::Spare<HttpWorkflow> workflow;  // four times as large as what the others have

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool resumes() const { return true; }
  bool runs_here() const { return true; }
};

// A Deployment of Kubernetes, asked and changed by kubectl, or through the API where a pod has none.
struct KubernetesDriver : DriverTraits {
  std::string deployment;                        // empty: the one of the service's name
  std::string name_space;                        // empty: that of the context, or of the pod
  std::string context;                           // of the kubeconfig; empty: the current one
  std::string kubeconfig;                        // empty: the one that kubectl finds, or the pod's service account
  std::vector<std::string> kubectl;              // empty: kubectl, where there is one
  std::string user;                              // of kubectl; empty: we ourselves
  std::vector<std::string> restart_annotations;  // of the pod template, besides the usual ones
  rules::Duration rollout_timeout = std::chrono::minutes(10);

  static probes::Variety variety();
  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool resumes() const { return true; }
  Whom whom() const { return {user}; }
  std::vector<NamedCommand> commands(const std::string& owner) const;
  std::vector<Ground> grounds(const rules::ServiceName& service) const;
};

struct DriverLink;

// Several drivers of one service, the fastest first. It has no word of its own: it is written as an array of theirs.
struct DriverChain : DriverTraits {
  std::vector<DriverLink> links;

  std::unique_ptr<Driver> make(const DriverSection& section, const std::string& state_dir,
                               const probes::Clock& clock) const;
  bool identifies() const;
  bool switches() const;
  bool resumes() const;  // one of them; which one was at work is known when it is asked
  Whom whom() const;     // of the first
  std::vector<NamedCommand> commands(const std::string& owner) const;
};

// All that there are, in the order in which they are told; a service without one has the first.
using DriverKind = std::variant<std::monostate, DriverChain, CommandDriver, GitDriver, ComposeDriver, SystemdDriver,
                                Pm2Driver, HttpDriver, KubernetesDriver>;

struct DriverLink {
  std::string word;  // "compose"
  DriverKind kind;   // none of several
};

bool identifies(const DriverKind& driver);
// Each of a chain's, else the one; none where there is none.
std::vector<const DriverKind*> each_of(const DriverKind& driver);

}  // namespace watcher
