#pragma once

#include <cstddef>
#include <vector>

#include "rules/base/names.hpp"

namespace rules {

// Where the rungs of a rule that joins come among those not yet tried.
enum class Untried { first, last };

// The ladder with the rungs of another response, of which none stands twice: its first `tried` rungs stay in place
// (SPEC 2.20).
std::vector<ActionName> with_rungs(const std::vector<ActionName>& ladder, std::size_t tried,
                                   const std::vector<ActionName>& response, Untried where);

}  // namespace rules
