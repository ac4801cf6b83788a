#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "probes/net/child.hpp"
#include "rules/base/time.hpp"

namespace watcher {

namespace asio = boost::asio;

// What a git command said, or why it failed: for people.
struct GitError {
  std::string what;
  bool timed_out = false;
  bool called_off = false;
  bool stopped = false;  // of a proof: what was restarted came up, and somebody stopped it
};
using GitAnswer = std::variant<std::string, GitError>;
using GitYesNo = std::variant<bool, GitError>;
using GitFiles = std::variant<std::vector<std::string>, GitError>;
using GitDone = std::optional<GitError>;  // nullopt: done

// What has to hold after a restart besides that its command succeeded; it is given so long. nullopt: it does.
using GitProof = std::function<asio::awaitable<GitDone>(rules::Duration limit)>;

// A question to a repository is answered in milliseconds; a disk that hangs must not hold up the reading of revisions.
inline constexpr rules::Duration git_question_limit = std::chrono::seconds(4);
// The whole tree is looked at: seconds when it is large and not in memory.
inline constexpr rules::Duration git_scan_limit = 10 * git_question_limit;

// Runs git(1) in one working tree, as the tree's owner: what it writes stays the owner's, so that the next deploy by
// hand works. The repository's hooks and monitors do not run: they are not part of the plan.
class GitRunner {
 public:
  // `started` is told of every git that is run; empty: nobody wants to know. Who wants to know is in a switch, where
  // questions may take as long as scans.
  // `user`: whom git runs as; empty: the tree's owner. See runs_as().
  GitRunner(std::string dir, std::vector<std::string> paths, std::string user, probes::Started started);

  // For a repository inside this one, such as a submodule: as the same user.
  GitRunner inside(const std::string& folder) const;

  // For what waits for an answer and can do nothing without it: questions may take as long as scans, as in a switch.
  void be_patient(bool is_patient) { is_patient_ = is_patient; }
  // How long a command of that limit is given.
  rules::Duration given(rules::Duration limit) const;

  const std::string& dir() const { return dir_; }
  const std::vector<std::string>& paths() const { return paths_; }
  // Whom git runs as; empty: ourselves.
  std::string user() const;
  // Why git cannot be run at all and what to do, for people; empty: it can.
  std::string why_not_ours() const;

  // What it printed, without the space around it.
  asio::awaitable<GitAnswer> ask(std::vector<std::string> arguments, rules::Duration limit) const;
  // Exit code 0 is yes, 1 is no.
  asio::awaitable<GitYesNo> yes_or_no(std::vector<std::string> arguments, rules::Duration limit) const;
  // What it printed, whole: names between NUL bytes.
  asio::awaitable<GitAnswer> list(std::vector<std::string> arguments) const;
  // `reason` is what the reflog says of it. What was printed, errors and all.
  asio::awaitable<GitAnswer> move_head(std::vector<std::string> arguments, std::string reason,
                                       rules::Duration limit) const;
  // Another program, as who runs git, in the tree.
  asio::awaitable<GitDone> run(std::vector<std::string> argv, rules::Duration limit) const;
  // For the top of the tree, which `dir` may lie below.
  asio::awaitable<GitAnswer> way_up() const;
  // The arguments, for `paths` alone.
  std::vector<std::string> with_paths(std::vector<std::string> arguments) const;

 private:
  probes::ChildSpec plain(rules::Duration limit) const;
  probes::ChildSpec command(std::vector<std::string> arguments, rules::Duration limit) const;

  std::string dir_;
  std::vector<std::string> paths_;
  std::string user_;
  probes::Started started_;
  bool is_patient_ = false;
};

}  // namespace watcher
