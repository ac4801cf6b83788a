#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "rules/base/cause.hpp"
#include "rules/base/fault.hpp"
#include "rules/base/names.hpp"
#include "rules/base/series.hpp"
#include "rules/base/time.hpp"

namespace rules {

// Lines of a page that could not be read and that nothing selects: the rest of the page counts all the same.
struct Unread {
  std::size_t lines = 0;
  std::string first;  // for people: which is the first, and what is wrong with it
};

// A field that the probe usually has, and that this poll could not bring: the others count all the same.
struct Missing {
  std::string field;
  Cause cause = Cause::no_data;
  std::string why;  // for people
};

// What one poll of one target brought. Its samples' time is `ended`.
struct Poll {
  ProbeName probe;
  std::size_t instance = 0;  // which of the probe's `urls`
  Instant started;
  Instant ended;
  Up up = Up::unknown;
  std::optional<Fault> fault;  // set exactly when up is not Up::up
  Unread unread{};
  std::vector<Missing> missing{};
  std::vector<Reading> readings;  // fields of the probe; empty when there is a fault that left nothing to read
};

}  // namespace rules
