#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probes/clock.hpp"
#include "probes/net/child.hpp"
#include "rules/engine/events.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

namespace asio = boost::asio;

struct SwitchRequest {
  rules::Revision from;
  rules::Revision to;
  rules::IncidentId incident;
  std::map<std::string, std::string> env;  // ROLLBACKD_*
  rules::Duration limit{};
  probes::Started started{};           // to be told of every child that may change something
  std::vector<std::string> secrets{};  // that nothing which is kept may have in it
  bool may_repeat = false;             // one that was broken off may be begun anew, whatever the driver thinks
  bool another_follows = false;        // where this driver does not begin another one does it: nothing is waited for
};

// What a name that people have for a revision (a tag, a branch, the beginning of an id) means.
struct NameMeans {
  bool knows_names = false;              // the driver could be asked; otherwise nothing is said
  std::vector<rules::Revision> meant{};  // one: that; several: it is ambiguous; none: see `why_none`
  std::string why_none{};                // for people
};

// A command whose output is kept with the incident, because a switch destroys what it tells of.
struct EvidenceCommand {
  std::string file;          // one plain name
  probes::ChildSpec child;   // without words: there is only what is known already
  std::string known_said{};  // what the driver knows already, behind what the command printed
  // Instead of a command: what was said, for people, within `evidence_limit`. May be called when the driver is gone.
  std::function<asio::awaitable<std::string>()> asked{};
};
// All of a driver's, which run side by side, are given so long; a rollback must not wait for them any longer.
inline constexpr rules::Duration evidence_limit = std::chrono::seconds(10);

// How long a driver stays patient.
inline constexpr rules::Duration driver_patience = std::chrono::hours(1);

// How a service's revision is read and switched. Never throws for what the commands do.
class Driver {
 public:
  virtual ~Driver() = default;
  // What runs now. Called every 10 s: cheap, and bounded by 10 s unless it is to be patient.
  virtual asio::awaitable<rules::RevisionRead> identify() = 0;
  // Whether a switch could be done now: commands exist, repository is there, `to` (if given) is in it.
  virtual asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) = 0;
  // The same, asked every 20 s: what is dear to find out may be of some minutes ago.
  virtual asio::awaitable<rules::ReadinessRead> still_ready(std::optional<rules::Revision> to);
  // Cheap, changes nothing. A driver that has no names but its revisions' ids does not know names.
  virtual asio::awaitable<NameMeans> meaning_of(std::string name);
  // What a switch from one to the other takes back, a line each and the newest first, at most `most` and what is left
  // out; empty: nobody knows.
  virtual asio::awaitable<std::vector<std::string>> taken_back(rules::Revision from, rules::Revision to,
                                                               std::size_t most);
  // What a switch asks another system for, a line each, without secrets; empty: it does it itself.
  virtual std::vector<std::string> asks_for(const rules::Revision& from, const rules::Revision& to) const;
  // Which of these files, that are there now, a switch to that revision takes away; none where nobody knows.
  virtual asio::awaitable<std::vector<std::string>> taken_away(rules::Revision to, std::vector<std::string> files);
  // Which of these, the known ones and those that are named, have the same content under several names: groups of two
  // at least. `known` is asked only by a driver whose revisions can have that.
  using Known = std::function<std::vector<rules::Revision>()>;
  virtual asio::awaitable<std::vector<std::vector<rules::Revision>>> alike(Known known,
                                                                           std::vector<rules::Revision> named);
  // What tells of the release that is about to be taken away: its logs, how it ended. Changes nothing, and asks
  // nobody: what is asked is in the commands. This is a driver's only door for it.
  virtual asio::awaitable<std::vector<EvidenceCommand>> evidence();
  // What an operator should know of before it is needed though it stands in the way of nothing, a line each, for `check
  // --online`.
  virtual asio::awaitable<std::vector<std::string>> advice();
  // Somebody waits for what runs and can do nothing without it, as before and after a switch: for an hour from now on
  // looks may take as long as a busy host needs.
  virtual void be_patient();
  // Values of the environment of what runs, as far as it is known, that nothing which is kept may have in it.
  virtual std::vector<std::string> secrets() const;
  virtual asio::awaitable<rules::StepResult> switch_to(SwitchRequest request) = 0;
  // Lines for the report after a switch: what was stashed, how to return to the branch. Empty when nothing is to say.
  virtual std::string aftermath() const = 0;
};

// Why the target's name may not be put into a command line, for people; empty: it may, or there is none.
std::string why_unsafe_target(const std::optional<rules::Revision>& to);
// What `ready` answers; `why_not` is for people, empty: it could be switched.
rules::ReadinessRead readiness_of(const rules::ServiceName& service, std::string why_not, rules::Instant at);

// For a driver that knows by itself what runs and how to switch it: the keys of commands for that are errors.
void refuse_commands(probes::Given& given, std::string_view driver);

// What a driver can be.
std::span<const probes::Variety> driver_kinds();

// nullptr for a service without one. `clock` must outlive it.
std::unique_ptr<Driver> make_driver(const DriverSection& section, const std::string& state_dir,
                                    const probes::Clock& clock);

}  // namespace watcher
