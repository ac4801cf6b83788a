#include "watcher/drivers/git_driver.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>
#include <variant>

#include "watcher/drivers/git_aftermath.hpp"
#include "watcher/drivers/git_clearing.hpp"
#include "watcher/drivers/git_files_lost.hpp"
#include "watcher/drivers/git_foresight.hpp"
#include "watcher/drivers/git_look.hpp"
#include "watcher/drivers/git_names.hpp"
#include "watcher/drivers/git_repository.hpp"
#include "watcher/drivers/git_state.hpp"
#include "watcher/drivers/git_submodules.hpp"
#include "watcher/drivers/git_switch.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/why_not.hpp"

namespace watcher {

namespace {

// Longer than a switch waits for the index. With the time between two looks it is told within 30 s.
constexpr rules::Duration lock_age_max = std::chrono::seconds(8);

class WorkingTree final : public Driver {
 public:
  WorkingTree(rules::ServiceName service, const GitDriver& config, const std::string& state_dir,
              rules::Duration switch_limit, const probes::Clock& clock, GitProof proof)
      : service_(std::move(service)),
        config_(config),
        switch_limit_(switch_limit),
        clock_(clock),
        proof_(std::move(proof)),
        repository_(GitRunner(config.dir, config.paths, config.user, {})),
        file_(state_dir, service_.text) {}

  asio::awaitable<rules::RevisionRead> identify() override;
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) override;
  asio::awaitable<rules::ReadinessRead> still_ready(std::optional<rules::Revision> to) override;
  asio::awaitable<NameMeans> meaning_of(std::string name) override;
  asio::awaitable<std::vector<std::string>> taken_back(rules::Revision from, rules::Revision to,
                                                       std::size_t most) override;
  asio::awaitable<std::vector<std::string>> taken_away(rules::Revision to, std::vector<std::string> files) override;
  asio::awaitable<std::vector<std::vector<rules::Revision>>> alike(Known known,
                                                                   std::vector<rules::Revision> named) override;
  void be_patient() override { patient_until_ = clock_.now() + driver_patience; }
  asio::awaitable<rules::StepResult> switch_to(SwitchRequest request) override;
  std::string aftermath() const override;

 private:
  asio::awaitable<std::string> why_not_ready(std::optional<rules::Revision> to);
  asio::awaitable<std::string> why_not_to(std::string head, std::optional<rules::Revision> to);
  asio::awaitable<std::string> what_is_in_the_way(std::string commit);
  std::string why_not_runnable_here() const;
  bool names_what_is_missing(const std::vector<std::string>& argv) const;
  std::string unknown_after_restart(const std::string& head) const;
  std::string unfinished(const GitLook& look, const GitAftermath& aftermath) const;

  rules::ServiceName service_;
  GitDriver config_;
  rules::Duration switch_limit_;
  const probes::Clock& clock_;
  GitProof proof_;
  GitRepository repository_;
  rules::Instant patient_until_;
  GitStateFile file_;
  GitNamed named_;
  GitContents contents_;
  // What lies in the whole tree is looked for no oftener than that it takes a hundredth of the time.
  struct LookedFor {
    std::string commit;
    rules::Instant again_at;
  };
  LookedFor nothing_in_the_way_;
};

asio::awaitable<rules::RevisionRead> WorkingTree::identify() {
  rules::RevisionRead read;
  read.service = service_;
  read.started = clock_.now();
  repository_.be_patient(read.started < patient_until_);
  read.by =
      config_.paths.empty() ? "the HEAD of " + config_.dir : "what the index of " + config_.dir + " has of its paths";
  const std::optional<GitState> state = file_.read();
  read.error = repository_.why_not_ours();
  if (!read.error.empty()) {
    read.ended = clock_.now();
    co_return read;
  }
  if (state) {
    GitLook look = co_await look_at(repository_, *state, named_);
    read.error = std::move(look.error);
    if (read.error.empty() && look.revision.empty()) {
      read.error = unknown_after_restart(look.head);
      read.broken_off = rules::Revision(look.place->target.empty() ? look.head : look.place->target);
    }
    if (read.error.empty()) read.revision = rules::Revision(look.revision);
    if (read.revision) read.unfinished = unfinished(look, state->aftermath);
    if (read.revision) read.label = co_await tag_at(repository_, look.revision);
  } else {
    read.error = file_.path() + " cannot be read; do remove it when what is checked out is what runs";
  }
  read.ended = clock_.now();
  co_return read;
}

std::string WorkingTree::unknown_after_restart(const std::string& head) const {
  return "a restart after checking out " + head +
         " was begun and has not completed, so nobody knows what runs; do roll " + "back or deploy again, or remove " +
         file_.path() + " once what is checked out in " + config_.dir + " runs";
}

// A switch was broken off after its checkout, by our own end or because going back failed.
std::string WorkingTree::unfinished(const GitLook& look, const GitAftermath& aftermath) const {
  if (!look.place) return "";
  const std::string& there = look.place->target.empty() ? look.head : look.place->target;
  if (there == look.revision) return "";
  std::string back = way_back(repository_, aftermath);
  if (!back.empty()) back = ", or put it back: " + back;
  return there + " is checked out in " + config_.dir + ", but " + look.revision +
         " runs: a switch was begun and has not completed; do finish it with `rollbackd rollback " + service_.text +
         " --to " + there + "`" + back;
}

std::string WorkingTree::why_not_runnable_here() const {
  const std::string& restart_user = config_.restart_user.empty() ? config_.user : config_.restart_user;
  std::string refused = why_not_started({{"git"}, config_.dir, runs_as(config_.dir, config_.user).user});
  if (!refused.empty()) return refused;
  bool may_be_made = false;
  for (const std::vector<std::string>& build : config_.build) {
    if (!may_be_made || !names_what_is_missing(build)) {
      refused = why_not_started({build, config_.dir, runs_as(config_.dir, config_.user).user});
      if (!refused.empty()) return refused;
    }
    may_be_made = true;
  }
  if (may_be_made && names_what_is_missing(config_.restart)) return refused;
  return why_not_started({config_.restart, config_.dir, runs_as(config_.dir, restart_user).user});
}

// What lies in a folder that is not in the tree may be made by a build that runs before, and a deployment whose build
// has failed may have taken that away: `npm ci` begins by removing node_modules.
bool WorkingTree::names_what_is_missing(const std::vector<std::string>& argv) const {
  return std::any_of(argv.begin(), argv.end(), [this](const std::string& word) {
    if (word.find('/') == std::string::npos) return false;
    std::string folder = word.starts_with('/') ? word : config_.dir + "/" + word;
    folder.resize(folder.rfind('/'));
    return folder.starts_with(config_.dir + "/") && ::access(folder.c_str(), F_OK) != 0;
  });
}

asio::awaitable<std::string> WorkingTree::why_not_ready(std::optional<rules::Revision> to) {
  std::string refused = repository_.why_not_ours();
  if (refused.empty()) refused = why_not_runnable_here();
  if (refused.empty()) refused = why_not_writable(config_.dir);
  if (!refused.empty()) co_return refused;
  const GitAnswer head = co_await repository_.head();
  if (const auto* const error = std::get_if<GitError>(&head)) co_return error->what;
  const GitAnswer stuck = co_await repository_.why_stuck(lock_age_max, clock_.now());
  if (const auto* const error = std::get_if<GitError>(&stuck)) co_return error->what;
  if (!std::get<std::string>(stuck).empty()) co_return std::get<std::string>(stuck);
  const GitSubmodules submodules = co_await submodules_of(repository_, std::get<std::string>(head));
  if (const auto* const error = std::get_if<GitError>(&submodules)) co_return error->what;
  const auto& inside = std::get<std::vector<GitSubmodule>>(submodules);
  const GitAnswer stuck_inside = co_await why_submodules_are_stuck(inside, lock_age_max, clock_.now());
  if (const auto* const error = std::get_if<GitError>(&stuck_inside)) co_return error->what;
  if (!std::get<std::string>(stuck_inside).empty()) co_return std::get<std::string>(stuck_inside);
  std::string now_at = std::get<std::string>(head);
  co_return co_await why_not_to(std::move(now_at), std::move(to));
}

asio::awaitable<std::string> WorkingTree::why_not_to(std::string head, std::optional<rules::Revision> to) {
  std::string full = std::move(head);
  if (to) {
    const GitAnswer commit = co_await repository_.commit_of(to->text);
    if (const auto* const error = std::get_if<GitError>(&commit)) co_return error->what;
    full = std::get<std::string>(commit);
    if (full != to->text) co_return to->text + " is not a commit's full id; say " + full;
  }
  const GitDone unknown = co_await repository_.knows_paths(full);
  if (unknown) co_return unknown->what;
  const GitAnswer fails = co_await why_checkout_fails(repository_, full);
  if (const auto* const error = std::get_if<GitError>(&fails)) co_return error->what;
  if (!std::get<std::string>(fails).empty() || !to) co_return std::get<std::string>(fails);
  co_return co_await what_is_in_the_way(std::move(full));
}

asio::awaitable<std::string> WorkingTree::what_is_in_the_way(std::string commit) {
  constexpr int part = 100;  // of the time
  const rules::Instant before = clock_.now();
  if (nothing_in_the_way_.commit == commit && before < nothing_in_the_way_.again_at) co_return std::string();
  nothing_in_the_way_ = {};
  GitClearingManner by_looking;
  const GitClearing clearing(repository_.git(), std::move(by_looking));
  const GitDone in_the_way = co_await clearing.foresee(commit);
  if (in_the_way) co_return in_the_way->what;
  const rules::Instant after = clock_.now();
  nothing_in_the_way_ = {std::move(commit), after + part * (after - before)};
  co_return std::string();
}

asio::awaitable<rules::ReadinessRead> WorkingTree::ready(std::optional<rules::Revision> to) {
  nothing_in_the_way_ = {};
  co_return co_await still_ready(std::move(to));
}

asio::awaitable<rules::ReadinessRead> WorkingTree::still_ready(std::optional<rules::Revision> to) {
  std::string refused = why_unsafe_target(to);
  if (refused.empty()) refused = co_await why_not_ready(std::move(to));
  co_return readiness_of(service_, std::move(refused), clock_.now());
}

asio::awaitable<NameMeans> WorkingTree::meaning_of(std::string name) {
  const std::string not_ours = repository_.why_not_ours();
  if (not_ours.empty()) co_return co_await commits_named(repository_, std::move(name));
  NameMeans out;
  out.knows_names = true;
  out.why_none = not_ours;
  co_return out;
}

asio::awaitable<std::vector<std::string>> WorkingTree::taken_back(rules::Revision from, rules::Revision to,
                                                                  std::size_t most) {
  std::vector<std::string> lines;
  const bool can = repository_.why_not_ours().empty() && rules::is_safe_in_argv(from) && rules::is_safe_in_argv(to);
  if (can) lines = co_await commits_between(repository_, std::move(to.text), std::move(from.text), most);
  co_return lines;
}

asio::awaitable<std::vector<std::string>> WorkingTree::taken_away(rules::Revision to, std::vector<std::string> files) {
  std::vector<std::string> none;
  if (!repository_.why_not_ours().empty() || !rules::is_safe_in_argv(to)) co_return none;
  co_return co_await files_lost(repository_, std::move(to.text), std::move(files));
}

asio::awaitable<std::vector<std::vector<rules::Revision>>> WorkingTree::alike(Known known,
                                                                              std::vector<rules::Revision> named) {
  std::vector<std::vector<rules::Revision>> groups;
  if (config_.paths.empty() || !repository_.why_not_ours().empty()) co_return groups;
  std::vector<rules::Revision> all = known();
  all.insert(all.end(), named.begin(), named.end());
  groups = co_await same_contents(repository_, std::move(all), contents_);
  co_return groups;
}

asio::awaitable<rules::StepResult> WorkingTree::switch_to(SwitchRequest request) {
  // When it is called off in the middle, the tree still has to be left in order.
  co_await asio::this_coro::throw_if_cancelled(false);
  if (!rules::is_safe_in_argv(request.to)) {
    rules::StepResult refused;
    refused.nothing_begun = true;
    refused.detail = "switch " + service_.text + ": the target's name must not be put into a command line";
    co_return refused;
  }
  be_patient();
  if (request.limit == rules::Duration::zero()) request.limit = switch_limit_;
  GitRunner git(config_.dir, config_.paths, config_.user, request.started);
  const GitRepository repository(std::move(git));
  GitSwitch work(config_, repository, file_, clock_, std::move(request), proof_);
  co_return co_await work.run();
}

std::string WorkingTree::aftermath() const {
  const std::optional<GitState> state = file_.read();
  return state ? aftermath_text(repository_, state->aftermath) : std::string();
}

}  // namespace

std::unique_ptr<Driver> make_git_driver(const rules::ServiceName& service, const GitDriver& config,
                                        const std::string& state_dir, rules::Duration switch_limit,
                                        const probes::Clock& clock, GitProof proof) {
  return std::make_unique<WorkingTree>(service, config, state_dir, switch_limit, clock, std::move(proof));
}

}  // namespace watcher
