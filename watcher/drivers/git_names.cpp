#include "watcher/drivers/git_names.hpp"

#include <algorithm>
#include <sstream>
#include <utility>
#include <variant>

#include "rules/base/commit.hpp"

namespace watcher {

namespace {

constexpr std::size_t prefix_min = 4;          // digits; git's own limit
constexpr std::size_t objects_looked_at = 32;  // of those that begin alike
constexpr std::size_t contents_max = 1000;     // commits whose content is kept in mind

bool is_hex(const std::string& text) { return text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos; }

bool is_broken(const GitAnswer& answer) {
  const auto* const error = std::get_if<GitError>(&answer);
  return error != nullptr && (error->timed_out || error->called_off);
}

void add(NameMeans& out, const std::string& commit) {
  const rules::Revision revision(commit);
  if (std::find(out.meant.begin(), out.meant.end(), revision) == out.meant.end()) out.meant.push_back(revision);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

// Whatever begins so may also be a tree or a file, which nobody means.
asio::awaitable<void> add_commits_beginning(const GitRepository& repository, std::string prefix, NameMeans& out) {
  std::vector<std::string> question{"rev-parse", "--disambiguate=" + prefix};
  const GitAnswer objects = co_await repository.git().ask(std::move(question), git_question_limit);
  const auto* const listed = std::get_if<std::string>(&objects);
  if (listed == nullptr) co_return;
  std::vector<std::string> ids = lines_of(*listed);
  if (ids.size() > objects_looked_at) ids.resize(objects_looked_at);
  for (const std::string& id : ids) {
    std::vector<std::string> kind{"cat-file", "-t", id};
    const GitAnswer answer = co_await repository.git().ask(std::move(kind), git_question_limit);
    const auto* const word = std::get_if<std::string>(&answer);
    if (word != nullptr && *word == "commit") add(out, id);
  }
}

}  // namespace

asio::awaitable<std::string> tag_at(const GitRepository& repository, std::string commit) {
  if (!rules::is_commit(commit)) co_return std::string();
  std::vector<std::string> question{"for-each-ref", "--points-at=" + commit,     "--sort=-creatordate",
                                    "--count=1",    "--format=%(refname:short)", "refs/tags"};
  const GitAnswer answer = co_await repository.git().ask(std::move(question), git_question_limit);
  const auto* const tag = std::get_if<std::string>(&answer);
  if (tag == nullptr) co_return std::string();
  co_return *tag;
}

asio::awaitable<NameMeans> commits_named(const GitRepository& repository, std::string name) {
  NameMeans out;
  out.knows_names = true;
  for (const char* const where : {"refs/tags/", "refs/heads/", "refs/remotes/"}) {
    const GitAnswer commit = co_await repository.commit_of(where + name);
    if (const auto* const id = std::get_if<std::string>(&commit)) add(out, *id);
  }
  if (!out.meant.empty()) co_return out;
  const GitAnswer commit = co_await repository.commit_of(name);
  if (const auto* const id = std::get_if<std::string>(&commit)) {
    add(out, *id);
    co_return out;
  }
  out.why_none = std::get<GitError>(commit).what;
  if (is_broken(commit) || name.size() < prefix_min || !is_hex(name)) co_return out;
  co_await add_commits_beginning(repository, name, out);
  co_return out;
}

asio::awaitable<std::vector<std::string>> commits_between(const GitRepository& repository, std::string older,
                                                          std::string newer, std::size_t most) {
  const std::string range = older + ".." + newer;
  std::vector<std::string> question{"log", "--no-color", "--format=%h %s", "-n", std::to_string(most), range, "--"};
  const GitAnswer answer = co_await repository.git().ask(std::move(question), git_question_limit);
  std::vector<std::string> lines;
  if (const auto* const text = std::get_if<std::string>(&answer)) lines = lines_of(*text);
  if (lines.size() < most) co_return lines;
  std::vector<std::string> count{"rev-list", "--count", range, "--"};
  const GitAnswer all = co_await repository.git().ask(std::move(count), git_question_limit);
  const auto* const number = std::get_if<std::string>(&all);
  if (number != nullptr && *number != std::to_string(lines.size())) {
    lines.push_back("... of " + *number + " in all");
  }
  co_return lines;
}

asio::awaitable<std::vector<std::vector<rules::Revision>>> same_contents(const GitRepository& repository,
                                                                         std::vector<rules::Revision> revisions,
                                                                         GitContents& known) {
  std::map<std::string, std::vector<rules::Revision>> by_content;
  for (const rules::Revision& revision : revisions) {
    if (!rules::is_commit(revision.text)) continue;
    if (!known.contains(revision.text)) {
      std::vector<std::string> question{"ls-tree", "--full-name", revision.text};
      std::vector<std::string> limited = repository.git().with_paths(std::move(question));
      const GitAnswer listing = co_await repository.git().ask(std::move(limited), git_question_limit);
      const auto* const content = std::get_if<std::string>(&listing);
      // What is gone from the repository is compared with nothing.
      if (content == nullptr || content->empty()) continue;
      if (known.size() >= contents_max) known.clear();
      known[revision.text] = *content;
    }
    std::vector<rules::Revision>& group = by_content[known[revision.text]];
    if (std::find(group.begin(), group.end(), revision) == group.end()) group.push_back(revision);
  }
  std::vector<std::vector<rules::Revision>> groups;
  for (auto& [content, group] : by_content) {
    if (group.size() > 1) groups.push_back(std::move(group));
  }
  co_return groups;
}

}  // namespace watcher
