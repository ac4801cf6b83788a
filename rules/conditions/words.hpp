#pragma once

#include <array>
#include <string>
#include <string_view>

#include "rules/conditions/condition.hpp"

// The words and signs that a condition is written in.

namespace rules {

struct OverTimeName {
  std::string_view name;
  OverTimeFunction function;
};
inline constexpr std::array<OverTimeName, 5> over_time_names{{{"avg", OverTimeFunction::avg},
                                                              {"max", OverTimeFunction::max},
                                                              {"min", OverTimeFunction::min},
                                                              {"quantile", OverTimeFunction::quantile},
                                                              {"slope", OverTimeFunction::slope}}};

struct CompareSign {
  std::string_view sign;
  CompareOp op;
};
inline constexpr std::array<CompareSign, 6> compare_signs{{{">", CompareOp::greater},
                                                           {">=", CompareOp::greater_equal},
                                                           {"<", CompareOp::less},
                                                           {"<=", CompareOp::less_equal},
                                                           {"==", CompareOp::equal},
                                                           {"!=", CompareOp::not_equal}}};

inline bool is_reserved(const std::string& word) { return word == "and" || word == "or" || word == "not"; }

// Signals, probes and the fields that are not metrics of a page are spelt so in the configuration.
inline bool is_config_name(const std::string& name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
  return name.find_first_not_of(allowed) == std::string::npos;
}

}  // namespace rules
