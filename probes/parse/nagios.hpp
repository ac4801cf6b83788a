#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/series.hpp"

namespace probes {

inline constexpr std::size_t nagios_values_max = 1'000;  // items of performance data; plugins give tens at most

struct NagiosOutput {
  std::string text;                      // first line without performance data
  std::vector<rules::Reading> readings;  // the performance data
};

// Splits a plugin's output into text and performance data ('label'=value[unit];warn;crit;min;max after a
// bar). Values come in base units: seconds, bytes (KB is 1024), shares (5% is 0.05). A label that is not an
// identifier has what is not a letter, a digit or _ replaced by _ in the field's name, and stands as it was
// in the label `label`:
// "/var" becomes _var{label="/var"}. Items that are malformed or undetermined (U) are left out, as monitoring
// servers do: the plugin's verdict is its exit code.
NagiosOutput parse_nagios(std::string_view out);

}  // namespace probes
