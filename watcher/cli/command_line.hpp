#pragma once

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>

#include "watcher/cli/cli.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

inline constexpr int exit_fine = 0;
inline constexpr int exit_no = 1;  // the answer is no
inline constexpr int exit_usage = 2;
inline constexpr int exit_no_watcher = 3;

// What all commands share: the options that each of them takes, and what was chosen.
class CommandLine {
 public:
  explicit CommandLine(Terminal& terminal) : terminal_(terminal) {}

  // A subcommand that takes --config and --json and does `action` when it is chosen. The first sentence of the
  // description is for the list of commands; its own help has all of it.
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& description, std::function<int()> action);
  // A word that has subcommands: fuse reset.
  static CLI::App* add_group(CLI::App& parent, const std::string& name, const std::string& description);

  // --config and --json, which may also stand before the command.
  void add_shared_options(CLI::App& app);

  std::ostream& out() const { return terminal_.out; }
  std::ostream& err() const { return terminal_.err; }
  Terminal& terminal() const { return terminal_; }
  bool json() const { return json_; }
  const std::string& config_path() const { return config_path_; }
  // Whether the configuration is not there. One that this user may not look for is.
  bool is_missing() const;
  // For who loads it otherwise: there was none to be had.
  void note_missing() const;
  // Does what was chosen. A configuration that is not there is wrong usage, whatever the command made of it.
  int perform() const;

  // The whole configuration; its findings are told, and none is returned when there are errors.
  std::optional<Config> load() const;
  // Only what is needed to reach the watcher, also when the rest of the file is wrong meanwhile.
  std::optional<WatcherSection> reach() const;

 private:
  Terminal& terminal_;
  std::string config_path_ = "/etc/rollbackd/rollbackd.toml";
  bool json_ = false;
  std::function<int()> chosen_;
  mutable bool was_missing_ = false;  // the configuration, when it was looked for
};

// What came of asking the watcher.
struct Asked {
  int exit_code = exit_fine;
  bool no_watcher = false;
  std::string why;          // when there is no watcher: what was attempted, what to do
  boost::json::value body;  // of a good answer that is JSON
  std::string text;         // of a good answer, as it came
};

// Asks the watcher. A refusal is told on `err` (with --json the problem on `out`); that no watcher answers is only in
// the result, because some commands can do without. One that may run but that this user may not ask is told.
Asked ask(const CommandLine& line, const std::string& method, const std::string& target,
          const boost::json::object& body = {});
// What a reply says; a refusal is told.
Asked read_reply(const CommandLine& line, const ApiReply& reply);
// The same as ask, and tells when no watcher answers.
Asked ask_or_tell(const CommandLine& line, const std::string& method, const std::string& target,
                  const boost::json::object& body = {});
// Asks for a deed and tells what becomes of it.
int request(const CommandLine& line, const std::string& target, const boost::json::object& body);
// What the watcher said to a word that was not a question; returns the exit code.
int print_answer(const CommandLine& line, const Asked& asked);
void tell_no_watcher(const CommandLine& line, const std::string& why);

// Percent-encodes one segment or query value.
std::string url_encoded(const std::string& text);
// A member's text; empty when absent, null or no string.
std::string text_of(const boost::json::value& object, std::string_view key);

// Where a runner acts, what is kept in the watcher's state directory is its user's: root does it as that user from here
// on. False, and told: that is not possible.
bool is_watchers_user(const CommandLine& line, const WatcherSection& watcher);

// " (one of a, b)", or that none is defined.
std::string one_of(const std::vector<std::string>& names);
// The service that is meant: the one that is named, or the only one. Tells when there is none.
std::optional<rules::ServiceName> service_meant(const CommandLine& line, const Config& config,
                                                const std::string& named);

// Options with a meaning of their own are checked where they are read: wrong usage, exit code 2.
std::string check_duration(const std::string& text);
CLI::Validator revision_word();  // also takes a revision as it is printed with its label

void add_watcher_commands(CLI::App& app, CommandLine& line);   // run, reload, version
void add_check_command(CLI::App& app, CommandLine& line);      // check
void add_status_commands(CLI::App& app, CommandLine& line);    // status
void add_history_commands(CLI::App& app, CommandLine& line);   // incidents, explain, deploys
void add_deploy_commands(CLI::App& app, CommandLine& line);    // deploy begin|end|mark|good|bad
void add_incident_commands(CLI::App& app, CommandLine& line);  // rollback, approve, abort
void add_rollback_command(CLI::App& app, CommandLine& line);
void add_limit_commands(CLI::App& app, CommandLine& line);   // pause, resume, fuse reset, accept-state
void add_notify_commands(CLI::App& app, CommandLine& line);  // notify test
void add_help_command(CLI::App& app, CommandLine& line);     // help

}  // namespace watcher
