#include "watcher/drivers/git_switch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "probes/net/child.hpp"
#include "watcher/drivers/git_aftermath.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/steps/command.hpp"

namespace watcher {

namespace {

constexpr std::int64_t output_kept_max = 512 * 1024;  // bytes each of build and restart

}  // namespace

GitSwitch::GitSwitch(const GitDriver& config, const GitRepository& repository, const GitStateFile& file,
                     const probes::Clock& clock, SwitchRequest request, GitProof proof)
    : config_(config),
      repository_(repository),
      file_(file),
      clock_(clock),
      request_(std::move(request)),
      proof_(std::move(proof)) {
  const bool limited = request_.limit > rules::Duration::zero();
  deadline_ = clock_.now() + (limited ? request_.limit : config_.build_timeout + config_.restart_timeout);
}

std::string GitSwitch::brief(const std::string& commit) {
  constexpr std::size_t brief_size = 12;  // digits; git shows 7 to 12
  return commit.substr(0, brief_size);
}

GitSwitch::Trouble GitSwitch::trouble_of(const GitError& error) {
  Trouble trouble{error.what, rules::StepStatus::failed};
  if (error.timed_out) trouble.status = rules::StepStatus::timed_out;
  if (error.called_off) trouble.status = rules::StepStatus::interrupted;
  trouble.stopped = error.stopped;
  return trouble;
}

rules::Duration GitSwitch::left() const { return deadline_ - clock_.now(); }

// Unlike any other line of the reflog, so that it proves who moved HEAD last.
std::string GitSwitch::reason(const std::string& deed) const {
  const std::string incident = request_.incident.empty() ? "by hand" : request_.incident.text;
  return "rollbackd: " + incident + ": " + deed + " #" + std::to_string(clock_.now().time_since_epoch().count());
}

GitSwitch::MaybeTrouble GitSwitch::note(std::vector<GitPlace> places) {
  state_.places = std::move(places);
  const std::optional<std::string> fault = file_.write(state_);
  if (!fault) return std::nullopt;
  return Trouble{"note what is done to the repository: " + *fault, rules::StepStatus::failed};
}

GitSwitch::MaybeTrouble GitSwitch::note_next(GitPlace next) {
  std::vector<GitPlace> places;
  if (here_) places.push_back(*here_);
  places.push_back(std::move(next));
  return note(std::move(places));
}

std::string GitSwitch::done() const {
  const std::string_view built = config_.restart.empty() ? " and built" : ", built and restarted";
  const std::string_view more = !config_.build.empty() ? built : config_.restart.empty() ? "" : " and restarted";
  return request_.to.text + " is checked out" + std::string(more);
}

asio::awaitable<rules::StepResult> GitSwitch::run() {
  MaybeTrouble trouble = co_await look_around();
  if (!trouble) trouble = co_await change();
  const std::string aftermath = aftermath_text(repository_, state_.aftermath);
  result_.nothing_begun = trouble && !moved_ && as_before_;
  result_.status = trouble ? trouble->status : rules::StepStatus::succeeded;
  result_.detail = trouble ? trouble->what : done();
  if (!aftermath.empty()) result_.detail += "\n" + aftermath;
  co_return std::move(result_);
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::change() {
  MaybeTrouble trouble = co_await put_changes_away();
  if (!trouble) trouble = co_await go_to_target();
  if (!trouble) trouble = co_await build();
  if (!trouble) trouble = co_await restart();
  const bool is_left = trouble && trouble->stopped;
  if (is_left && restarting_) {
    trouble->what += "\nIt was stopped while " + request_.to.text + " was started, which is checked out; nothing was " +
                     "put back or started against that";
  }
  if (trouble && !is_left) {
    co_await undo(*trouble);
    co_return trouble;
  }
  // Nobody will ask for these any more.
  for (const Cleared& cleared : cleared_) {
    const GitChanges inside(cleared.clearing.git());
    co_await inside.drop_kept_index();
  }
  const GitChanges changes(repository_.git());
  co_await changes.drop_kept_index();
  co_return trouble;
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::look_around() {
  const std::string not_ours = repository_.why_not_ours();
  if (!not_ours.empty()) co_return Trouble{not_ours};
  std::optional<GitState> state = file_.read();
  if (!state) co_return Trouble{file_.path() + " cannot be read; do remove it when what is checked out is what runs"};
  state_ = std::move(*state);
  const GitAnswer stuck = co_await repository_.why_stuck(rules::Duration::max(), clock_.now());
  if (const auto* const error = std::get_if<GitError>(&stuck)) co_return trouble_of(*error);
  if (!std::get<std::string>(stuck).empty()) co_return Trouble{std::get<std::string>(stuck)};
  const GitDone free = co_await repository_.wait_for_index(std::min(index_patience, left()));
  if (free) co_return trouble_of(*free);
  GitNamed named;
  before_ = co_await look_at(repository_, state_, named);
  if (!before_.error.empty()) co_return Trouble{before_.error};
  here_ = before_.place;
  const GitAnswer branch = co_await repository_.branch();
  if (const auto* const error = std::get_if<GitError>(&branch)) co_return trouble_of(*error);
  branch_ = std::get<std::string>(branch);
  MaybeTrouble trouble = co_await check_target();
  if (trouble) co_return trouble;
  GitClearingManner by_looking;
  const GitClearing clearing(repository_.git(), std::move(by_looking));
  const GitDone refused = co_await clearing.foresee(request_.to.text);
  if (refused) co_return trouble_of(*refused);
  co_return co_await look_inside();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::check_target() {
  const GitAnswer commit = co_await repository_.commit_of(request_.to.text);
  if (const auto* const error = std::get_if<GitError>(&commit)) co_return trouble_of(*error);
  const std::string& full = std::get<std::string>(commit);
  if (full != request_.to.text) co_return Trouble{request_.to.text + " is not a commit's full id; say " + full};
  const GitDone unknown = co_await repository_.knows_paths(full);
  if (unknown) co_return trouble_of(*unknown);
  co_return MaybeTrouble();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::go_to_target() {
  if (repository_.paths().empty()) co_return co_await move_head();
  GitPlace place{before_.head, "", request_.to.text, before_.revision};
  state_.aftermath.left_at = request_.to.text;
  MaybeTrouble trouble = note_next(place);
  if (trouble) co_return trouble;
  moved_ = true;
  const GitDone done = co_await repository_.check_out_paths(request_.to.text, left());
  if (done) co_return trouble_of(*done);
  arrived_ = true;
  here_ = std::move(place);
  co_return MaybeTrouble();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::update_submodules(std::string commit, rules::Duration limit) {
  const auto some = co_await repository_.has_submodules(commit);
  if (const auto* const error = std::get_if<GitError>(&some)) co_return trouble_of(*error);
  if (!std::get<bool>(some)) co_return MaybeTrouble();
  if (!state_.aftermath.submodules) {
    state_.aftermath.submodules = true;
    MaybeTrouble trouble = note(state_.places);
    if (trouble) co_return trouble;
  }
  const GitDone done = co_await watcher::update_submodules(repository_.git(), limit);
  if (done) co_return trouble_of(*done);
  co_return MaybeTrouble();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::move_head() {
  GitPlace place{before_.head, "", "", before_.revision};
  if (before_.head == request_.to.text) {
    const GitAnswer move = co_await repository_.last_move();
    if (const auto* const error = std::get_if<GitError>(&move)) co_return trouble_of(*error);
    place.mark = std::get<std::string>(move);
    here_ = place;
    if (branch_.empty()) state_.aftermath.left_at = request_.to.text;
    moved_ = arrived_ = true;
    co_return note_next(std::move(place));
  }
  place.head = request_.to.text;
  place.mark = reason(brief(before_.head) + " to " + brief(request_.to.text));
  state_.aftermath.left_at = request_.to.text;
  MaybeTrouble trouble = note_next(place);
  if (trouble) co_return trouble;
  moved_ = true;
  const GitDone done = co_await repository_.check_out(request_.to.text, place.mark, left());
  if (done) co_return trouble_of(*done);
  arrived_ = true;
  here_ = std::move(place);
  co_return MaybeTrouble();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::build() {
  MaybeTrouble trouble = co_await update_submodules(request_.to.text, left());
  if (trouble || config_.build.empty()) co_return trouble;
  co_return co_await run_builds();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::run_builds() {
  const rules::Instant end = clock_.now() + config_.build_timeout;
  const std::size_t count = config_.build.size();
  MaybeTrouble trouble;
  for (std::size_t i = 0; i < count && !trouble; ++i) {
    std::vector<std::string> argv = config_.build[i];
    std::string attempt = "run " + shown(argv);
    if (count > 1) attempt = fmt::format("build {} of {} ({}) failed", i + 1, count, shown(argv));
    const rules::Duration rest = i == 0 ? config_.build_timeout : end - clock_.now();
    trouble = co_await run_command(std::move(argv), config_.user, rest, std::move(attempt));
  }
  co_return trouble;
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::run_restart() {
  if (config_.restart.empty()) co_return MaybeTrouble();
  const std::string user = config_.restart_user.empty() ? config_.user : config_.restart_user;
  std::string attempt = "run " + shown(config_.restart);
  co_return co_await run_command(config_.restart, user, config_.restart_timeout, std::move(attempt));
}

// A build takes long, and whoever sees the trouble may check out a release that mends it meanwhile.
asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::look_whether_overtaken() {
  if (!repository_.paths().empty()) co_return MaybeTrouble();
  const GitAnswer head = co_await repository_.head();
  const auto* const commit = std::get_if<std::string>(&head);
  if (commit == nullptr || *commit == request_.to.text) co_return MaybeTrouble();
  co_return Trouble{"while " + request_.to.text + " was built somebody checked out " + *commit +
                        ", and deploys that; it was not restarted, and nothing was put back against it",
                    rules::StepStatus::failed, true};
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::restart() {
  MaybeTrouble trouble = co_await look_whether_overtaken();
  if (trouble) co_return trouble;
  GitPlace place = here_.value_or(GitPlace());
  place.running.clear();
  std::vector<GitPlace> places(1, place);
  trouble = note(std::move(places));
  if (trouble) co_return trouble;
  here_ = place;
  restarting_ = true;
  trouble = co_await run_restart();
  if (!trouble) trouble = co_await prove(std::min(config_.restart_timeout, left()));
  if (trouble && !trouble->stopped) co_return trouble;
  restarted_ = true;
  place.running = request_.to.text;
  std::vector<GitPlace> done(1, place);
  MaybeTrouble unnoted = note(std::move(done));
  if (unnoted) unnoted->what += "\n" + request_.to.text + " was restarted";
  if (trouble) co_return trouble;
  co_return unnoted;
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::prove(rules::Duration limit) {
  if (!proof_) co_return MaybeTrouble();
  const GitDone failed = co_await proof_(limit);
  if (failed) co_return trouble_of(*failed);
  co_return MaybeTrouble();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::run_command(std::vector<std::string> argv, std::string user,
                                                                rules::Duration limit, std::string attempt) {
  probes::ChildSpec child;
  const std::optional<std::vector<std::string>> expanded = expand_argv(argv, request_.from, request_.to);
  if (!expanded) co_return Trouble{attempt + ": the revision's name must not be put into a command line"};
  child.argv = *expanded;
  child.dir = repository_.dir();
  child.user = runs_as(repository_.dir(), user).user;
  child.env = request_.env;
  child.started = request_.started;
  child.limit = std::min(limit, left());
  if (child.limit <= rules::Duration::zero()) {
    co_return Trouble{attempt + ": no time was left for it, what ran before took all", rules::StepStatus::timed_out};
  }
  child.output_max = output_kept_max;
  const rules::Duration given = child.limit;
  probes::ChildResult ended = co_await run_trusted(std::move(child));
  rules::StepResult step = result_of(attempt, std::move(ended), given);
  result_.output += "$ " + shown(*expanded) + "\n" + step.output;
  result_.output_dropped += step.output_dropped;
  result_.exit_code = step.exit_code;
  if (step.status == rules::StepStatus::succeeded) co_return MaybeTrouble();
  co_return Trouble{step.detail, step.status};
}

}  // namespace watcher
