#pragma once

#include <string>

#include "watcher/drivers/git_repository.hpp"
#include "watcher/drivers/git_state.hpp"

namespace watcher {

// What people have to know after the last switch, a line each with the command to type; empty when there is nothing.
std::string aftermath_text(const GitRepository& repository, const GitAftermath& aftermath);

// The command that returns the tree, or its paths, to the branch; empty: there was none.
std::string way_back(const GitRepository& repository, const GitAftermath& aftermath);

}  // namespace watcher
