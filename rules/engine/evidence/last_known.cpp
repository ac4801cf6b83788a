#include "rules/engine/evidence/last_known.hpp"

#include <set>
#include <utility>

#include "rules/engine/evidence/evidence.hpp"

namespace rules {

namespace {

constexpr Duration kept_for = std::chrono::hours(1);

}  // namespace

void LastKnown::watch(std::vector<Condition::Reference> references) {
  std::set<std::string> keys;
  references_.clear();
  for (Condition::Reference& reference : references) {
    if (reference.before && keys.insert(frozen_key(reference)).second) references_.push_back(std::move(reference));
  }
  values_.erase_if([&](const auto& one) { return !keys.contains(one.first); });
}

void LastKnown::note(const Condition::Reference& reference, const Measured& measured, Instant now) {
  if (measured.value) values_[frozen_key(reference)] = {*measured.value, now};
}

FrozenValues LastKnown::values(Instant now) const {
  FrozenValues out;
  for (const auto& [key, value] : values_) {
    if (now - value.at <= kept_for) out[key] = value.value;
  }
  return out;
}

}  // namespace rules
