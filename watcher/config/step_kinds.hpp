#pragma once

#include <span>

#include "probes/key.hpp"

namespace watcher {

// What a step can be, in the order in which it is looked for (a capture has a `run` besides), and the words of the
// contract that this version has not. The keys fill a StepSpec.
std::span<const probes::Variety> step_kinds();

}  // namespace watcher
