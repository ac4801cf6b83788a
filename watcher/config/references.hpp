#pragma once

#include "watcher/config/loading.hpp"

namespace watcher {

// Resolves names between sections once all are known: services of rules, responses, the implied action `rollback`,
// names in conditions. Moves the rules into the configuration.
void resolve_references(Loading& loading);

// Whether a condition compares what can be compared (quantities.cpp).
void check_quantities(Loading& loading, const PlacedCondition& placed);

// Services that depend on themselves through others (circles.cpp).
void check_no_circle(Loading& loading);

// Services whose drivers would switch the same checkout, part of one, link, unit or container (shared_trees.cpp).
void check_nothing_is_shared(Loading& loading);

// Links and releases that lie in what another service checks out (links_in_trees.cpp).
void check_no_link_in_trees(Loading& loading);

// What the pages must keep: the selectors of signals and conditions (prometheus probes and exec probes that print a
// page), and what tells a restarted process. Only for a configuration without errors.
void compute_keep(Loading& loading);

}  // namespace watcher
