#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "judge.hpp"
#include "script.hpp"

namespace sim {

// What came of a script.
struct Verdict {
  std::vector<std::string> breaches;  // empty: all was as it must be
  std::vector<std::string> memory;    // the last things that happened before the first breach
  std::map<std::string, long> reached;
  std::string decisions;
  std::string digest;  // of everything that was seen, told and done, with its times
  Duration lived{};
};

// Lives through the script to its end or to the first breach.
Verdict live(const Script& script);

}  // namespace sim
