#pragma once

#include "watcher/config/loading.hpp"

namespace watcher {

// Reports commands whose {to} and {from} stand where nothing is filled in, or are written as nothing that is.
void check_placeholders(Loading& loading);

}  // namespace watcher
