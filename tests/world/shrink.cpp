#include "shrink.hpp"

namespace sim {

namespace {

// Up to the first name in it: which incident it is changes when something is left out.
std::string kind_of(const std::string& breach) { return breach.substr(0, breach.find_first_of("0123456789")); }

bool ends_in(const Script& script, const std::string& kind) {
  const Verdict verdict = live(script);
  return !verdict.breaches.empty() && kind_of(verdict.breaches.front()) == kind;
}

}  // namespace

// By halves, then one by one, until nothing more can be left out.
Script shrink(Script script, const std::string& breach) {
  const std::string kind = kind_of(breach);
  for (std::size_t size = script.happenings.size(); size > 0; size /= 2) {
    for (std::size_t at = 0; at < script.happenings.size();) {
      Script less = script;
      const std::size_t end = std::min(at + size, less.happenings.size());
      less.happenings.erase(less.happenings.begin() + static_cast<std::ptrdiff_t>(at),
                            less.happenings.begin() + static_cast<std::ptrdiff_t>(end));
      if (ends_in(less, kind)) {
        script = std::move(less);
      } else {
        at += size;
      }
    }
  }
  return script;
}

}  // namespace sim
