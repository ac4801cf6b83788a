#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "probes/clock.hpp"
#include "rules/engine/events.hpp"
#include "watcher/config/config.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/git_clearing.hpp"
#include "watcher/drivers/git_look.hpp"
#include "watcher/drivers/git_repository.hpp"
#include "watcher/drivers/git_state.hpp"
#include "watcher/drivers/git_submodules.hpp"

namespace watcher {

// One switch of a working tree, as the runbooks do it by hand: put local changes away, check the target out, build,
// restart. What is about to be done is noted durably before each deed, so that after a crash at any point the notes and
// the repository together still say what runs. References must outlive it.
class GitSwitch {
 public:
  GitSwitch(const GitDriver& config, const GitRepository& repository, const GitStateFile& file,
            const probes::Clock& clock, SwitchRequest request);
  asio::awaitable<rules::StepResult> run();

 private:
  struct Trouble {
    std::string what;
    rules::StepStatus status = rules::StepStatus::failed;
  };
  using MaybeTrouble = std::optional<Trouble>;

  asio::awaitable<MaybeTrouble> look_around();
  asio::awaitable<MaybeTrouble> check_target();
  asio::awaitable<MaybeTrouble> look_inside();
  asio::awaitable<MaybeTrouble> put_changes_away();
  asio::awaitable<MaybeTrouble> clear_submodules();
  asio::awaitable<MaybeTrouble> clear_submodule(const GitSubmodule& submodule);
  asio::awaitable<GitDone> clear(const GitRunner& git, std::string head, std::string target, GitPutAway& put_away);
  asio::awaitable<MaybeTrouble> go_to_target();
  asio::awaitable<MaybeTrouble> move_head();
  asio::awaitable<MaybeTrouble> update_submodules(std::string commit, rules::Duration limit);
  // With the submodules, which are part of what is built.
  asio::awaitable<MaybeTrouble> build();
  asio::awaitable<MaybeTrouble> move_back();
  asio::awaitable<GitDone> go_back_in_submodules(rules::Duration limit);
  asio::awaitable<void> go_back(Trouble& trouble);
  asio::awaitable<MaybeTrouble> restart();
  asio::awaitable<MaybeTrouble> run_command(std::vector<std::string> argv, std::string user, rules::Duration limit);

  MaybeTrouble note(std::vector<GitPlace> places);
  // Before the tree goes from where it is to another place: after a crash it may be at either.
  MaybeTrouble note_next(GitPlace next);
  std::string reason(const std::string& deed) const;
  rules::Duration left() const;
  // Somebody's `git status` holds the index for less than that.
  static constexpr rules::Duration index_patience = std::chrono::seconds(5);
  static std::string brief(const std::string& commit);
  static Trouble trouble_of(const GitError& error);

  const GitDriver& config_;
  const GitRepository& repository_;
  const GitStateFile& file_;
  const probes::Clock& clock_;
  SwitchRequest request_;
  rules::Instant deadline_;
  GitState state_;
  GitLook before_;                             // what there was before anything was done
  std::string branch_;                         // that HEAD was on
  std::optional<GitPlace> here_;               // where the tree is now, if that is noted
  std::vector<GitSubmodule> submodules_;       // of the target
  std::map<std::string, std::string> inside_;  // what was checked out has these submodules at these commits
  std::vector<GitSubmodule> cleared_;          // at the commits that they were at
  bool begun_ = false;                         // something of the tree was to be changed
  rules::StepResult result_;
};

}  // namespace watcher
