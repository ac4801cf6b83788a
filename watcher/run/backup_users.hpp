#pragma once

#include "watcher/config/config.hpp"

namespace watcher {

// Marks the steps that read ROLLBACKD_BACKUP: those that say so, and those whose command is a script that does, also
// where that stands in `sh -c "..."` or is run by another script. A program that does not show it is not found.
void mark_backup_users(rules::CoreConfig& core, const Config& config);

}  // namespace watcher
