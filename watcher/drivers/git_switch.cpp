#include "watcher/drivers/git_switch.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "probes/net/child.hpp"
#include "watcher/drivers/git_aftermath.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/steps/command.hpp"

namespace watcher {

namespace {

// Going back is not for the time limit of the switch, which may be what ended the build.
constexpr rules::Duration go_back_limit = std::chrono::minutes(5);
constexpr std::int64_t output_kept_max = 512 * 1024;  // bytes each of build and restart

}  // namespace

GitSwitch::GitSwitch(const GitDriver& config, const GitRepository& repository, const GitStateFile& file,
                     const probes::Clock& clock, SwitchRequest request)
    : config_(config), repository_(repository), file_(file), clock_(clock), request_(std::move(request)) {
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

asio::awaitable<rules::StepResult> GitSwitch::run() {
  MaybeTrouble trouble = co_await look_around();
  if (!trouble) trouble = co_await put_changes_away();
  if (!trouble) {
    trouble = co_await go_to_target();
    if (trouble) state_.aftermath.left_at.clear();
    if (trouble) note(state_.places);
  }
  if (!trouble) {
    trouble = co_await build();
    if (trouble) co_await go_back(*trouble);
  }
  if (!trouble) trouble = co_await restart();
  const std::string aftermath = aftermath_text(repository_, state_.aftermath);
  result_.nothing_begun = trouble && !begun_;
  result_.status = trouble ? trouble->status : rules::StepStatus::succeeded;
  result_.detail = trouble ? trouble->what : request_.to.text + " is checked out, built and restarted";
  if (!aftermath.empty()) result_.detail += "\n" + aftermath;
  co_return std::move(result_);
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::look_around() {
  const std::string not_ours = repository_.why_not_ours();
  if (!not_ours.empty()) co_return Trouble{not_ours};
  std::optional<GitState> state = file_.read();
  if (!state) co_return Trouble{file_.path() + " cannot be read; do remove it when what is checked out is what runs"};
  state_ = std::move(*state);
  const GitAnswer operation = co_await repository_.unfinished_operation();
  if (const auto* const error = std::get_if<GitError>(&operation)) co_return trouble_of(*error);
  const std::string& name = std::get<std::string>(operation);
  if (!name.empty()) {
    co_return Trouble{"a " + name + " is under way in " + repository_.dir() + "; do end it or abort it by hand"};
  }
  const GitDone free = co_await repository_.wait_for_index(std::min(index_patience, left()));
  if (free) co_return trouble_of(*free);
  before_ = co_await look_at(repository_, state_);
  if (!before_.error.empty()) co_return Trouble{before_.error};
  here_ = before_.place;
  const GitAnswer branch = co_await repository_.branch();
  if (const auto* const error = std::get_if<GitError>(&branch)) co_return trouble_of(*error);
  branch_ = std::get<std::string>(branch);
  MaybeTrouble trouble = co_await check_target();
  if (!trouble) trouble = co_await look_inside();
  co_return trouble;
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::check_target() {
  const GitAnswer commit = co_await repository_.commit_of(request_.to.text);
  if (const auto* const error = std::get_if<GitError>(&commit)) co_return trouble_of(*error);
  const std::string& full = std::get<std::string>(commit);
  if (full == request_.to.text) co_return MaybeTrouble();
  co_return Trouble{request_.to.text + " is not a commit's full id; say " + full};
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::go_to_target() {
  begun_ = true;
  if (repository_.paths().empty()) co_return co_await move_head();
  GitPlace place{before_.head, "", request_.to.text, before_.revision};
  state_.aftermath.left_at = request_.to.text;
  MaybeTrouble trouble = note_next(place);
  if (trouble) co_return trouble;
  const GitDone done = co_await repository_.check_out_paths(request_.to.text, left());
  if (done) co_return trouble_of(*done);
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
  const GitDone done = co_await repository_.update_submodules(limit);
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
    co_return note_next(std::move(place));
  }
  place.head = request_.to.text;
  place.mark = reason(brief(before_.head) + " to " + brief(request_.to.text));
  state_.aftermath.left_at = request_.to.text;
  MaybeTrouble trouble = note_next(place);
  if (trouble) co_return trouble;
  const GitDone done = co_await repository_.check_out(request_.to.text, place.mark, left());
  if (done) co_return trouble_of(*done);
  here_ = std::move(place);
  co_return MaybeTrouble();
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::build() {
  MaybeTrouble trouble = co_await update_submodules(request_.to.text, left());
  if (trouble || config_.build.empty()) co_return trouble;
  co_return co_await run_command(config_.build, config_.user, config_.build_timeout);
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::move_back() {
  const bool partial = !repository_.paths().empty();
  const std::string back_to = partial || branch_.empty() ? before_.head : branch_;
  GitPlace place{before_.head, "", "", before_.revision};
  if (partial) {
    place.target = before_.place ? before_.place->target : before_.head;
    MaybeTrouble trouble = note_next(place);
    if (trouble) co_return trouble;
    const GitDone done = co_await repository_.check_out_paths(place.target, go_back_limit);
    if (done) co_return trouble_of(*done);
  } else if (before_.head != request_.to.text) {
    place.mark = reason("back to " + brief(before_.head));
    MaybeTrouble trouble = note_next(place);
    if (trouble) co_return trouble;
    const GitDone done = co_await repository_.go_back_to(back_to, place.mark, go_back_limit);
    if (done) co_return trouble_of(*done);
  }
  if (state_.aftermath.submodules) {
    const GitDone done = co_await go_back_in_submodules(go_back_limit);
    if (done) co_return trouble_of(*done);
  }
  state_.aftermath.left_at.clear();
  co_return note(state_.places);
}

// The revision that runs is checked out again: what a process reads from its tree while it runs should be its own.
asio::awaitable<void> GitSwitch::go_back(Trouble& trouble) {
  const MaybeTrouble stuck = co_await move_back();
  if (stuck) {
    trouble.what += "\n" + request_.to.text + " is still checked out, because going back failed: " + stuck->what;
  } else {
    trouble.what += "\n" + before_.head +
                    " is checked out again; nothing was restarted, but files that the build made " +
                    "may be those of " + request_.to.text;
  }
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::restart() {
  GitPlace place = here_.value_or(GitPlace());
  place.running.clear();
  std::vector<GitPlace> places(1, place);
  MaybeTrouble trouble = note(std::move(places));
  if (trouble) co_return trouble;
  const std::string user = config_.restart_user.empty() ? config_.user : config_.restart_user;
  if (!config_.restart.empty()) trouble = co_await run_command(config_.restart, user, config_.restart_timeout);
  if (trouble) {
    trouble->what += "\n" + request_.to.text + " is checked out, but nobody knows what runs";
    co_return trouble;
  }
  place.running = request_.to.text;
  std::vector<GitPlace> done(1, place);
  trouble = note(std::move(done));
  if (trouble) trouble->what += "\n" + request_.to.text + " was restarted";
  co_return trouble;
}

asio::awaitable<GitSwitch::MaybeTrouble> GitSwitch::run_command(std::vector<std::string> argv, std::string user,
                                                                rules::Duration limit) {
  probes::ChildSpec child;
  const std::optional<std::vector<std::string>> expanded = expand_argv(argv, request_.from, request_.to);
  const std::string attempt = "run " + shown(argv);
  if (!expanded) co_return Trouble{attempt + ": the revision's name must not be put into a command line"};
  child.argv = *expanded;
  child.dir = repository_.dir();
  child.user = runs_as(repository_.dir(), user).user;
  child.env = request_.env;
  child.started = request_.started;
  child.limit = std::min(limit, left());
  child.output_max = output_kept_max;
  const rules::Duration given = child.limit;
  probes::ChildResult ended = co_await probes::run_child(std::move(child));
  rules::StepResult step = result_of(attempt, std::move(ended), given);
  result_.output += "$ " + shown(*expanded) + "\n" + step.output;
  result_.output_dropped += step.output_dropped;
  result_.exit_code = step.exit_code;
  if (step.status == rules::StepStatus::succeeded) co_return MaybeTrouble();
  co_return Trouble{step.detail, step.status};
}

}  // namespace watcher
