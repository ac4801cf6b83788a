#pragma once

namespace probes {

// Whether this process or the host has no file descriptor left: what libraries then report looks like a fault of what
// they were to open.
bool out_of_descriptors();

}  // namespace probes
