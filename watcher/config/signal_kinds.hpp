#pragma once

#include "watcher/config/kinds.hpp"

namespace watcher {

// What a signal can be: the keys of which it has exactly one, and `of` beside quantile.
extern const probes::Own ratio_of;
extern const probes::Own quantile_of;
extern const probes::Own family_of;
extern const probes::Own expression_of;

// Reports when it is not clear which of these the signal is.
void settle_kind(TableReader& reader);

}  // namespace watcher
