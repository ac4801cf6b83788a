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
            const probes::Clock& clock, SwitchRequest request, GitProof proof);
  asio::awaitable<rules::StepResult> run();

 private:
  struct Trouble {
    std::string what;
    rules::StepStatus status = rules::StepStatus::failed;
    bool stopped = false;  // by somebody, or overtaken: against whom nothing is put back or started
  };
  using MaybeTrouble = std::optional<Trouble>;
  struct Cleared {
    GitClearing clearing;
    std::string was_at;  // the branch or commit
  };

  asio::awaitable<MaybeTrouble> look_around();
  asio::awaitable<MaybeTrouble> check_target();
  asio::awaitable<MaybeTrouble> look_whether_overtaken();
  asio::awaitable<MaybeTrouble> look_inside();
  asio::awaitable<MaybeTrouble> put_changes_away();
  asio::awaitable<MaybeTrouble> clear_submodules();
  asio::awaitable<MaybeTrouble> clear_submodule(const GitSubmodule& submodule);
  // `where`: what of the aftermath it is noted in.
  GitClearingManner manner_of(std::string head, std::string target, std::function<GitPutAway&()> where);
  asio::awaitable<MaybeTrouble> go_to_target();
  asio::awaitable<MaybeTrouble> move_head();
  asio::awaitable<MaybeTrouble> update_submodules(std::string commit, rules::Duration limit);
  // With the submodules, which are part of what is built.
  asio::awaitable<MaybeTrouble> build();
  std::string done() const;  // for people
  // git_switch_back.cpp: after a trouble, which says what became of it.
  asio::awaitable<void> undo(Trouble& trouble);
  asio::awaitable<bool> go_back(Trouble& trouble);
  asio::awaitable<MaybeTrouble> move_back();
  asio::awaitable<MaybeTrouble> leave_target(std::string to);
  asio::awaitable<MaybeTrouble> leave_in_submodule(const Cleared& cleared);
  asio::awaitable<MaybeTrouble> go_back_in_submodules();
  asio::awaitable<MaybeTrouble> give_back();
  // git_switch_resume.cpp: an attempt of the same switch was broken off by our end, and this one goes on from there.
  std::string here_from() const;  // the commit that the tree (or its paths) is at
  void take_up(GitAftermath before);
  asio::awaitable<MaybeTrouble> find_way_back();
  asio::awaitable<MaybeTrouble> give_earlier_back();
  std::string modes_left() const;
  asio::awaitable<void> run_again(Trouble& trouble);
  asio::awaitable<MaybeTrouble> change();
  asio::awaitable<MaybeTrouble> restart();
  asio::awaitable<MaybeTrouble> prove(rules::Duration limit);
  asio::awaitable<MaybeTrouble> run_builds();
  asio::awaitable<MaybeTrouble> run_restart();
  // `attempt`: what a failure is told to be one of.
  asio::awaitable<MaybeTrouble> run_command(std::vector<std::string> argv, std::string user, rules::Duration limit,
                                            std::string attempt);

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
  GitProof proof_;  // empty: nothing
  rules::Instant deadline_;
  GitState state_;
  GitLook before_;                             // what there was before anything was done
  std::string branch_;                         // that HEAD was on
  std::optional<GitPlace> here_;               // where the tree is now, if that is noted
  std::vector<GitSubmodule> submodules_;       // of the target
  std::map<std::string, std::string> inside_;  // what was checked out has these submodules at these commits
  std::vector<Cleared> cleared_;               // submodules, the outer ones first
  std::optional<GitClearing> clearing_;        // of the tree itself
  bool moved_ = false;                         // a checkout was begun
  bool arrived_ = false;                       // and it was completed
  bool restarting_ = false;                    // what runs may be anything since
  bool restarted_ = false;                     // the target was
  bool as_before_ = true;                      // nothing was changed, or all of it was given back
  bool takes_up_ = false;                      // what goes back goes to where the first attempt began
  rules::StepResult result_;
};

}  // namespace watcher
