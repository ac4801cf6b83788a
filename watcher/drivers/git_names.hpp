#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/git_repository.hpp"

namespace watcher {

// The commits that a tag, a branch or the beginning of an id can mean. A tag and a branch of one name that are not at
// the same commit are ambiguous: which of them git itself would take nobody remembers at night.
asio::awaitable<NameMeans> commits_named(const GitRepository& repository, std::string name);

// The newest tag at that commit; empty: there is none, or it cannot be read.
asio::awaitable<std::string> tag_at(const GitRepository& repository, std::string commit);

// What is in `newer` and not in `older`, a line each, the newest first. More than `most` are counted.
asio::awaitable<std::vector<std::string>> commits_between(const GitRepository& repository, std::string older,
                                                          std::string newer, std::size_t most);

// What the paths are in a commit, by its id: that never changes.
using GitContents = std::map<std::string, std::string>;

// Commits of which `paths` are the same, in groups of two at least. `known` keeps what was found out.
asio::awaitable<std::vector<std::vector<rules::Revision>>> same_contents(const GitRepository& repository,
                                                                         std::vector<rules::Revision> revisions,
                                                                         GitContents& known);

}  // namespace watcher
