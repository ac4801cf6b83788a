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

// The rung at `rung` is no part of the response, and the one after it is: the response need not wait for it to help.
bool is_next_of(const std::vector<ActionName>& response, const std::vector<ActionName>& ladder, std::size_t rung);

}  // namespace rules
