#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "probes/net/child.hpp"
#include "rules/base/time.hpp"
#include "watcher/config/config.hpp"
#include "watcher/drivers/tool_error.hpp"

namespace watcher {

namespace asio = boost::asio;

using ComposeError = ToolError;
using ComposeAnswer = std::variant<std::string, ComposeError>;

// Which Compose there is.
struct ComposeTool {
  std::vector<std::string> argv;
  std::string version;    // "2.26.1", "1.29.2"
  bool is_first = false;  // Compose 1, which knows neither pull policies nor the project's name in a file
};
using ComposeToolFound = std::variant<ComposeTool, ComposeError>;

// Docker answers in milliseconds, what Compose reads in a second; a daemon that hangs must not hold up the reading of
// revisions.
inline constexpr rules::Duration docker_question_limit = std::chrono::seconds(4);
inline constexpr rules::Duration compose_question_limit = std::chrono::seconds(20);

// Runs docker(1) and Compose in one project's folder, as the folder's owner or whom the configuration names.
class ComposeRunner {
 public:
  // `started` is told of every command that may change something; empty: nobody wants to know. Who wants to know is in
  // a switch, where questions may take longer.
  ComposeRunner(const ComposeDriver& config, probes::Started started);

  const ComposeDriver& config() const { return config_; }
  // Whom it runs as; empty: ourselves.
  std::string user() const;
  // Why nothing can be run at all and what to do, for people; empty: it can. Starts nothing.
  std::string why_not_started() const;
  // The same of a Compose file that is not there, or that others could change.
  std::string why_no_files() const;
  // The user's Compose files that are there; none where only Compose itself knows them.
  std::vector<std::string> files() const;

  // What it printed.
  asio::awaitable<ComposeAnswer> docker(std::vector<std::string> arguments, rules::Duration limit) const;
  // The one that is configured; else the one that made the containers, where both are there: of the same files each
  // makes something else. `made_by`: its version; empty: not known.
  asio::awaitable<ComposeToolFound> find_tool(std::string made_by) const;
  // Of the user's own files; `project` may be empty. What it printed.
  asio::awaitable<ComposeAnswer> compose(ComposeTool tool, std::string project,
                                         std::vector<std::string> arguments) const;
  // A file of the user's, read as that user.
  asio::awaitable<ComposeAnswer> read_file(std::string file) const;
  // Written over in place, so that it stays whose it is, with what that file of ours has.
  asio::awaitable<ComposeAnswer> write_file(std::string file, std::string ours) const;

  // A command that changes something, which reads that file of ours; the caller says the rest.
  probes::ChildSpec changing(std::vector<std::string> argv, std::string stdin_file, rules::Duration limit) const;
  // A question of docker's, to be asked by whoever keeps evidence.
  probes::ChildSpec question(std::vector<std::string> arguments, rules::Duration limit) const;
  // What became of a command that did not end well.
  ComposeError error_of(const probes::ChildSpec& spec, const probes::ChildResult& child) const;

 private:
  std::vector<std::string> engine() const;
  probes::ChildSpec plain(std::vector<std::string> argv, rules::Duration limit) const;
  asio::awaitable<ComposeAnswer> ask(probes::ChildSpec spec) const;
  asio::awaitable<ComposeToolFound> look_for(std::vector<std::string> argv) const;
  std::string advice_for(std::string_view said) const;

  const ComposeDriver& config_;
  probes::Started started_;
};

bool ended_well(const probes::ChildResult& child);

}  // namespace watcher
