#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/config.hpp"

namespace watcher {

// The names that `probe.NAME` may have. Pages of metrics and nagios plugins have more, which only polling shows.
std::vector<std::string> fields_of(const probes::ProbeConfig& probe);

// Whether `probe.FIELD` can mean something. Any metric of a prometheus page is a field of its probe, and any value that
// a nagios plugin or a page-printing command reports: what the target says is not known before it is asked.
bool has_field(const probes::ProbeConfig& probe, std::string_view field);

}  // namespace watcher
