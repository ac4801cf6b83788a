#include "watcher/drivers/git_clearing.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>
#include <variant>

#include "watcher/drivers/git_foresight.hpp"

namespace watcher {

namespace {

constexpr std::size_t in_the_way_max = 1000;  // files; more are folders of dependencies, which no command line holds

}  // namespace

GitDone GitClearing::refusal_of(const std::vector<std::string>& files, const std::string& target) const {
  const std::string where = git_.dir() + ": ";
  for (const std::string& file : files) {
    if (!file.ends_with('/')) continue;
    return GitError{where + file + " is in the way of " + target + ", a repository of its own; move it away by hand"};
  }
  if (files.size() <= in_the_way_max) return std::nullopt;
  return GitError{where + files.front() + " is in the way of " + target + " and " + std::to_string(files.size() - 1) +
                  " others are; move them away by hand"};
}

asio::awaitable<GitDone> GitClearing::foresee(std::string target) const {
  const GitChanges changes(git_);
  const GitFiles coming = co_await changes.in_the_way_of(target);
  if (const auto* const error = std::get_if<GitError>(&coming)) co_return *error;
  std::vector<std::string> files = std::get<std::vector<std::string>>(coming);
  GitDone refused = refusal_of(files, target);
  if (refused) co_return refused;
  const GitAnswer status = co_await changes.status();
  if (const auto* const error = std::get_if<GitError>(&status)) co_return *error;
  if (!std::get<std::string>(status).empty()) {
    const GitFiles others = co_await changes.in_the_way_of_head();
    if (const auto* const error = std::get_if<GitError>(&others)) co_return *error;
    const auto& hidden = std::get<std::vector<std::string>>(others);
    refused = refusal_of(hidden, "what HEAD has");
    if (refused) co_return refused;
    files.insert(files.end(), hidden.begin(), hidden.end());
    const GitFiles changed = co_await changes.differing_from("HEAD");
    if (const auto* const error = std::get_if<GitError>(&changed)) co_return *error;
    const auto& names = std::get<std::vector<std::string>>(changed);
    files.insert(files.end(), names.begin(), names.end());
  }
  if (files.empty()) co_return GitDone();
  const GitAnswer top = co_await top_of_tree();
  if (const auto* const error = std::get_if<GitError>(&top)) co_return *error;
  std::string why = why_not_put_away(std::get<std::string>(top), std::move(files), git_.user());
  if (!why.empty()) co_return GitError{std::move(why)};
  co_return GitDone();
}

asio::awaitable<GitAnswer> GitClearing::top_of_tree() const {
  const GitAnswer up = co_await git_.way_up();
  if (const auto* const error = std::get_if<GitError>(&up)) co_return *error;
  const std::filesystem::path top(git_.dir() + "/" + std::get<std::string>(up) + ".");
  co_return top.lexically_normal().parent_path().string();
}

asio::awaitable<GitDone> GitClearing::clear_for(std::string target) {
  GitDone failed = co_await keep();
  if (failed) co_return failed;
  failed = co_await unstage_submodules();
  if (!failed) failed = co_await put_changes_away(target);
  if (failed) co_return failed;
  co_return co_await put_aside(std::move(target));
}

asio::awaitable<GitDone> GitClearing::keep() {
  if (!manner_.may_go_back) co_return GitDone();
  const GitChanges changes(git_);
  GitAnswer status = co_await changes.status();
  if (const auto* const error = std::get_if<GitError>(&status)) co_return *error;
  status_ = std::move(std::get<std::string>(status));
  GitDone failed = co_await changes.keep_index(manner_.left());
  if (failed) co_return failed;
  kept_ = true;
  co_return co_await changes.show_hidden(manner_.left());
}

asio::awaitable<GitDone> GitClearing::unstage_submodules() {
  const GitChanges changes(git_);
  const GitFiles staged = co_await changes.staged_submodules();
  if (const auto* const error = std::get_if<GitError>(&staged)) co_return *error;
  const auto& files = std::get<std::vector<std::string>>(staged);
  if (files.empty() || !manner_.expected.empty()) co_return GitDone();
  GitDone failed = manner_.note(put_away_);
  if (failed) co_return failed;
  co_return co_await changes.unstage(files, manner_.left());
}

asio::awaitable<GitYesNo> GitClearing::has_changes() const {
  const GitChanges changes(git_);
  if (manner_.expected.empty()) co_return co_await changes.has_changes();
  co_return co_await changes.differs_from(manner_.expected);
}

asio::awaitable<GitDone> GitClearing::put_changes_away(std::string target) {
  const GitChanges changes(git_);
  const GitYesNo any = co_await has_changes();
  if (const auto* const error = std::get_if<GitError>(&any)) co_return *error;
  GitDone failed = co_await remember_modes(std::move(target));
  if (failed) co_return failed;
  if (!std::get<bool>(any)) co_return GitDone();
  // Where a tracked file was removed, or git made to forget it, a stash would write it over what stands there now.
  const GitFiles found = co_await changes.in_the_way_of_head();
  if (const auto* const error = std::get_if<GitError>(&found)) co_return *error;
  std::vector<std::string> files = std::get<std::vector<std::string>>(found);
  failed = refusal_of(files, "what HEAD has");
  if (failed) co_return failed;
  const GitFiles intended = co_await changes.intended();
  if (const auto* const error = std::get_if<GitError>(&intended)) co_return *error;
  const auto& named = std::get<std::vector<std::string>>(intended);
  files.insert(files.end(), named.begin(), named.end());
  put_away_.stash_message = manner_.changes_message;
  note_modes_of(changed_files_);
  failed = manner_.note(put_away_);
  if (failed) co_return failed;
  if (!files.empty()) failed = co_await changes.track(files, manner_.left());
  if (failed) co_return failed;
  changed_ = co_await changes.changed_paths();
  // Without a path everything would be stashed.
  if (!git_.paths().empty() && changed_.empty()) co_return GitDone();
  failed = co_await changes.stash(changed_, manner_.changes_message, put_away_.stash, manner_.left());
  if (failed) co_return failed;
  co_return manner_.note(put_away_);
}

// Git would refuse to overwrite what it ignores here, and `restore` would not even ask.
asio::awaitable<GitDone> GitClearing::put_aside(std::string target) {
  const GitChanges changes(git_);
  const GitFiles found = co_await changes.in_the_way_of(target);
  if (const auto* const error = std::get_if<GitError>(&found)) co_return *error;
  const auto& files = std::get<std::vector<std::string>>(found);
  if (files.empty()) co_return GitDone();
  GitDone failed = refusal_of(files, target);
  if (failed) co_return failed;
  put_away_.aside_message = manner_.aside_message;
  const std::size_t named = std::min(files.size(), git_names_noted_max);
  put_away_.aside_names.assign(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(named));
  put_away_.aside_unnamed = files.size() - named;
  note_modes_of(files);
  failed = manner_.note(put_away_);
  if (failed) co_return failed;
  failed = co_await changes.stash_files(files, manner_.aside_message, put_away_.aside, manner_.left());
  if (failed) co_return failed;
  co_return manner_.note(put_away_);
}

// What differs from where the tree is and from where it is going to, by name; asked when git overlooks no change.
asio::awaitable<GitDone> GitClearing::remember_modes(std::string target) {
  const GitAnswer top = co_await top_of_tree();
  if (const auto* const error = std::get_if<GitError>(&top)) co_return *error;
  top_ = std::get<std::string>(top);
  const GitChanges changes(git_);
  const std::string here = manner_.expected.empty() ? "HEAD" : manner_.expected;
  const GitFiles changed = co_await changes.differing_from(here);
  if (const auto* const error = std::get_if<GitError>(&changed)) co_return *error;
  const GitFiles coming = co_await changes.differing_from(target);
  if (const auto* const error = std::get_if<GitError>(&coming)) co_return *error;
  const GitFiles in_the_way = co_await changes.in_the_way_of(target);
  if (const auto* const error = std::get_if<GitError>(&in_the_way)) co_return *error;
  const GitFiles others = co_await changes.in_the_way_of_head();
  if (const auto* const error = std::get_if<GitError>(&others)) co_return *error;
  std::set<std::string> files;
  for (const GitFiles* const some : {&changed, &coming, &in_the_way, &others}) {
    const auto& names = std::get<std::vector<std::string>>(*some);
    files.insert(names.begin(), names.end());
  }
  modes_ = modes_of(top_, {files.begin(), files.end()});
  changed_files_ = std::get<std::vector<std::string>>(changed);
  const auto& hidden = std::get<std::vector<std::string>>(others);
  changed_files_.insert(changed_files_.end(), hidden.begin(), hidden.end());
  co_return GitDone();
}

// With the folders that they lie in: one that is empty then goes, and comes back as git makes it.
void GitClearing::note_modes_of(const std::vector<std::string>& files) {
  std::set<std::string> named(files.begin(), files.end());
  for (const std::string& file : files) {
    for (std::size_t slash = file.rfind('/'); slash != file.npos && slash > 0; slash = file.rfind('/', slash - 1))
      named.insert(file.substr(0, slash));
  }
  std::vector<GitFileMode> modes = unlike_git_s(modes_, git_.user());
  std::erase_if(modes, [&named](const GitFileMode& mode) { return named.count(mode.name) == 0; });
  for (GitFileMode& mode : modes) {
    mode.name = top_ + "/" + mode.name;
    const auto is_this = [&mode](const GitFileMode& noted) { return noted.name == mode.name; };
    if (std::any_of(put_away_.modes.begin(), put_away_.modes.end(), is_this)) continue;
    if (put_away_.modes.size() < git_modes_noted_max) {
      put_away_.modes.push_back(std::move(mode));
    } else {
      ++put_away_.modes_unnoted;
    }
  }
}

std::string GitClearing::modes_left() const {
  if (modes_left_.empty()) return {};
  std::vector<GitFileMode> modes = modes_left_;
  if (modes.size() > git_modes_noted_max) modes.resize(git_modes_noted_max);
  for (GitFileMode& mode : modes) mode.name = top_ + "/" + mode.name;
  const std::size_t others = modes_left_.size() - modes.size();
  const std::string more = others == 0 ? "" : " (and " + std::to_string(others) + " more)";
  return "Not all files have the owners and modes that they had" + more +
         "; as root: " + commands_for(modes, git_.user());
}

asio::awaitable<GitDone> GitClearing::give_back(rules::Duration limit) {
  if (!kept_) co_return GitDone();
  const GitChanges changes(git_);
  GitDone failed;
  if (!put_away_.aside.empty()) failed = co_await changes.apply(put_away_.aside, limit);
  if (!failed && !put_away_.stash.empty()) {
    failed = co_await changes.give_files_back(put_away_.stash, changed_, limit);
  }
  // Before the index, which keeps when a file's mode was changed.
  modes_left_ = give_modes_back(top_, modes_, git_.user());
  if (!failed) failed = co_await changes.give_index_back(limit);
  if (failed) co_return failed;
  const GitAnswer status = co_await changes.status();
  if (const auto* const error = std::get_if<GitError>(&status)) co_return *error;
  if (std::get<std::string>(status) != status_) co_return GitError{git_.dir() + " is not as it was before"};
  put_away_.is_back = true;
  kept_ = false;
  co_return GitDone();
}

}  // namespace watcher
