#include "watcher/drivers/git_foresight.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "watcher/drivers/git_changes.hpp"
#include "watcher/drivers/git_in_the_way.hpp"
#include "watcher/drivers/may.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/why_not_runnable.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;

// Of the files that change: enough to find what is not the owner's, and cheap with hundreds of thousands.
constexpr std::size_t files_looked_at_max = 2000;

struct GitPlaces {
  std::string git_dir;
  std::string common_dir;
  std::string top;
};
using GitPlacesAnswer = std::variant<GitPlaces, GitError>;

asio::awaitable<GitPlacesAnswer> places_of(const GitRunner& git) {
  std::vector<std::string> arguments{"rev-parse", "--absolute-git-dir", "--show-toplevel", "--git-common-dir"};
  const GitAnswer answer = co_await git.ask(std::move(arguments), git_question_limit);
  if (const auto* const error = std::get_if<GitError>(&answer)) co_return *error;
  const std::string& lines = std::get<std::string>(answer);
  const std::size_t first = lines.find('\n');
  const std::size_t second = lines.find('\n', first + 1);
  if (first == lines.npos || second == lines.npos) co_return GitError{"git rev-parse in " + git.dir() + ": " + lines};
  GitPlaces out{lines.substr(0, first), lines.substr(second + 1), lines.substr(first + 1, second - first - 1)};
  out.common_dir = (fs::path(git.dir()) / out.common_dir).lexically_normal().string();
  co_return out;
}

std::string may_not_write(const std::string& path, const Credentials& who) {
  std::string nobody = why_unchangeable(path);
  if (!nobody.empty()) return nobody;
  struct stat entry {};
  const bool found = ::stat(path.c_str(), &entry) == 0;
  const std::string owner = found ? account_of(entry.st_uid) : std::string();
  return path + (owner.empty() ? "" : " belongs to " + owner + " and") + " may not be written by " + who.name +
         ", whom git runs as; do chown -R " + who.name + " " + path;
}

bool may_change(const std::string& folder, const Credentials& who) {
  return allows(folder, who, Want::write) && allows(folder, who, Want::run);
}

bool is_there(const std::string& path) {
  struct stat entry {};
  return ::lstat(path.c_str(), &entry) == 0;
}

// What every checkout writes.
std::string why_not_moved(const GitPlaces& places, const Credentials& who) {
  if (!may_change(places.git_dir, who)) return may_not_write(places.git_dir, who);
  const std::string log = places.git_dir + "/logs/HEAD";
  return is_there(log) && !allows(log, who, Want::write) ? may_not_write(log, who) : std::string();
}

// A file is replaced, not written: its folder counts, or the one in which that is made. One that is immutable stays.
std::string why_not_replaced(const std::vector<std::string>& names, const std::string& top, const Credentials& who) {
  std::set<std::string> looked_at;
  for (const std::string& name : names) {
    std::string stays = why_unchangeable((fs::path(top) / name).string());
    if (!stays.empty()) return stays;
    fs::path folder = (fs::path(top) / name).parent_path();
    std::error_code failure;
    while (folder.native().size() > top.size() && !fs::is_directory(folder, failure)) folder = folder.parent_path();
    if (!looked_at.insert(folder.string()).second) continue;
    if (!may_change(folder.string(), who)) return may_not_write(folder.string(), who);
  }
  return {};
}

// Why git could not read that file; empty: it can, or there is no file of that name.
std::string why_not_read(const std::string& file, const Credentials& who) {
  struct stat entry {};
  if (::lstat(file.c_str(), &entry) != 0 || !S_ISREG(entry.st_mode) || allows(file, who, Want::read)) return {};
  const std::string refused = " may not be read by " + who.name + ", whom git runs as, and has to be put away; do ";
  if (entry.st_uid == who.uid) return file + refused + "chmod u+r " + file;
  const std::string owner = account_of(entry.st_uid);
  // Its owner, who is likely to be the application, keeps it.
  return file + (owner.empty() ? "" : " belongs to " + owner + ",") + refused + "chgrp $(id -gn " + who.name + ") " +
         file + " && chmod g+r " + file + ", or move it away";
}

// What a stash writes besides.
std::string why_not_stashed(const GitPlaces& places, const Credentials& who) {
  const std::string objects = places.common_dir + "/objects";
  for (const std::string& folder : {objects, places.common_dir + "/refs"}) {
    if (!may_change(folder, who)) return may_not_write(folder, who);
  }
  constexpr std::size_t fan_out_size = 2;  // digits
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(objects, failure)) {
    const std::string folder = entry.path().string();
    if (entry.path().filename().native().size() == fan_out_size && !may_change(folder, who))
      return may_not_write(folder, who);
  }
  return {};
}

struct Filter {
  bool is_required = false;
  std::string smudge;
  std::string process;
};

// By what `git config -z` says: "filter.lfs.smudge\ngit-lfs smudge -- %f".
std::map<std::string, Filter> filters_in(const std::string& listing) {
  constexpr std::string_view section = "filter.";
  std::map<std::string, Filter> out;
  for (const std::string& line : names_in(listing)) {
    const std::string key = line.substr(0, line.find('\n'));
    const std::string value = key.size() < line.size() ? line.substr(key.size() + 1) : "true";
    const std::size_t dot = key.rfind('.');
    if (!key.starts_with(section) || dot < section.size()) continue;
    Filter& filter = out[key.substr(section.size(), dot - section.size())];
    const std::string word = key.substr(dot + 1);
    if (word == "required") filter.is_required = value == "true" || value == "yes" || value == "on" || value == "1";
    if (word == "smudge") filter.smudge = value;
    if (word == "process") filter.process = value;
  }
  return out;
}

// Why the shell that git gives the command to would not find its program.
std::string why_no_program(const std::string& command, const GitRunner& git, const std::string& own_commands) {
  const std::string word = command.substr(0, command.find_first_of(" \t"));
  if (word.empty()) return "it has no command; do git config it, or install what brings it";
  if (word.find_first_of("$`'\"\\;|&<>(){}*?~=") != std::string::npos) return {};
  if (is_there(own_commands + "/" + word)) return {};
  return why_not_runnable({{word}, git.dir(), git.user()});
}

// What uses such a filter, of the files that the checkout writes; empty: nothing.
asio::awaitable<GitAnswer> user_of_filter(const GitRunner& git, std::string filter, std::string top,
                                          std::string commit) {
  // Added is what the index has more than the commit: it is removed.
  std::vector<std::string> arguments{"diff-index", "--cached",        "--name-only", "--no-renames",
                                     "-z",         "--diff-filter=a", commit};
  std::vector<std::string> limited = git.with_paths(std::move(arguments));
  const GitAnswer listing = co_await git.list(std::move(limited));
  if (listing.index() != 0) co_return listing;
  std::vector<std::string> names = names_in(std::get<std::string>(listing));
  names.resize(std::min(names.size(), files_looked_at_max));
  if (names.empty()) co_return std::string();
  std::vector<std::string> asked{"check-attr", "-z", "filter", "--"};
  for (const std::string& name : names) asked.push_back(top + "/" + name);
  const GitAnswer attributes = co_await git.list(std::move(asked));
  if (attributes.index() != 0) co_return attributes;
  const std::vector<std::string> words = names_in(std::get<std::string>(attributes));
  // Its name, the attribute's and that one's value.
  for (std::size_t i = 2; i < words.size(); i += 3) {
    if (words[i] == filter) co_return words[i - 2];
  }
  co_return std::string();
}

// Which file needs a filter that is required and cannot be run; empty: none.
asio::awaitable<GitAnswer> why_not_filtered(const GitRunner& git, std::string top, std::string commit) {
  std::vector<std::string> arguments{"config", "-z", "--get-regexp", "^filter[.].*[.](required|smudge|process)$"};
  const GitAnswer settings = co_await git.list(std::move(arguments));
  // It exits with 1 where nothing is set.
  if (settings.index() != 0) co_return std::string();
  for (const auto& [name, filter] : filters_in(std::get<std::string>(settings))) {
    const std::string& command = filter.process.empty() ? filter.smudge : filter.process;
    if (!filter.is_required || why_no_program(command, git, "").empty()) continue;
    std::vector<std::string> path_arguments{"--exec-path"};
    const GitAnswer own = co_await git.ask(std::move(path_arguments), git_question_limit);
    if (own.index() != 0) co_return own;
    const std::string why = why_no_program(command, git, std::get<std::string>(own));
    if (why.empty()) continue;
    const GitAnswer file = co_await user_of_filter(git, name, top, commit);
    if (file.index() != 0) co_return file;
    if (std::get<std::string>(file).empty()) continue;
    co_return std::get<std::string>(file) + " needs git's filter " + name + ": " + why;
  }
  co_return std::string();
}

}  // namespace

std::string why_not_put_away(const std::string& top, std::vector<std::string> names, const std::string& user) {
  const std::optional<Credentials> who = credentials_of(user);
  if (!who) return {};
  names.resize(std::min(names.size(), files_looked_at_max));
  for (const std::string& name : names) {
    std::string why = why_not_read(top + "/" + name, *who);
    if (!why.empty()) return why;
  }
  return why_not_replaced(names, top, *who);
}

asio::awaitable<GitAnswer> why_checkout_fails(const GitRepository& repository, std::string commit) {
  const GitRunner& git = repository.git();
  const std::optional<Credentials> who = credentials_of(git.user());
  if (!who) co_return std::string();
  const GitPlacesAnswer found = co_await places_of(git);
  if (const auto* const error = std::get_if<GitError>(&found)) co_return *error;
  const auto& places = std::get<GitPlaces>(found);
  std::string why = why_not_moved(places, *who);
  if (!why.empty()) co_return why;
  std::vector<std::string> arguments{"diff-index", "--cached", "--name-only", "--no-renames", "-z", commit};
  std::vector<std::string> limited = git.with_paths(std::move(arguments));
  const GitAnswer listing = co_await git.list(std::move(limited));
  if (listing.index() != 0) co_return listing;
  std::vector<std::string> names = names_in(std::get<std::string>(listing));
  names.resize(std::min(names.size(), files_looked_at_max));
  why = why_not_replaced(names, places.top, *who);
  if (!why.empty()) co_return why;
  why = why_not_stashed(places, *who);
  const GitChanges changes(git);
  // Nobody minds who has nothing to put away.
  if (!why.empty()) {
    const GitAnswer status = co_await changes.status();
    if (status.index() != 0) co_return status;
    if (!std::get<std::string>(status).empty()) co_return why;
  }
  if (names.empty()) co_return std::string();
  co_return co_await why_not_filtered(git, places.top, commit);
}

}  // namespace watcher
