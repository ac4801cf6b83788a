#pragma once

#include "simulation.hpp"

namespace sim {

// The script with as few happenings as still end in the same breach.
Script shrink(Script script, const std::string& breach);

}  // namespace sim
