#include "rules/incidents/fuse.hpp"

#include <algorithm>
#include <iterator>

namespace rules {

namespace {

constexpr Duration day = std::chrono::hours(24);
constexpr Duration hour = std::chrono::hours(1);

bool is_same(const FuseRecord& a, const FuseRecord& b) {
  return a.at == b.at && a.use == b.use && a.from == b.from && a.incident == b.incident;
}

}  // namespace

void Fuse::put(FuseRecord record) {
  std::vector<FuseRecord>& uses = uses_[record.service];
  if (record.undone) {
    std::erase_if(uses, [&](const FuseRecord& use) { return is_same(use, record); });
    return;
  }
  if (record.use == FuseUse::reset) uses.clear();
  std::erase_if(uses, [&](const FuseRecord& use) { return use.at + day < record.at; });
  uses.push_back(std::move(record));
}

std::vector<FuseRecord> Fuse::take_back(const ServiceName& service, const IncidentId& incident, bool with_switch,
                                        bool with_action) {
  std::vector<FuseRecord>& uses = uses_[service];
  std::vector<FuseRecord> taken;
  const auto take_newest = [&](auto is_it) {
    const auto newest = std::find_if(uses.rbegin(), uses.rend(),
                                     [&](const FuseRecord& use) { return use.incident == incident && is_it(use.use); });
    if (newest == uses.rend()) return;
    taken.push_back(*newest);
    taken.back().undone = true;
    uses.erase(std::next(newest).base());
  };
  if (with_switch) take_newest([](FuseUse use) { return use == FuseUse::switched; });
  if (with_action) take_newest([](FuseUse use) { return use == FuseUse::mutated || use == FuseUse::by_hand; });
  return taken;
}

int Fuse::count(const ServiceName& service, bool switches, Duration within, Instant now) const {
  const auto uses = uses_.find(service);
  if (uses == uses_.end()) return 0;
  return static_cast<int>(std::count_if(uses->second.begin(), uses->second.end(), [&](const FuseRecord& use) {
    if (use.at + within <= now) return false;
    switch (use.use) {
      case FuseUse::switched:
        return switches;
      case FuseUse::mutated:
      case FuseUse::by_hand:
        return !switches;
      case FuseUse::reset:
        return false;
    }
    return false;
  }));
}

std::string Fuse::blown(const ServiceName& service, const FuseLimits& limits, const LedgerRecord* from, bool switches,
                        Instant now) const {
  if (switches && from != nullptr && from->switches_away >= limits.switches_per_revision) {
    return "revision " + from->revision.text + " was already switched away from " +
           std::to_string(from->switches_away) + " time(s), the limit is " +
           std::to_string(limits.switches_per_revision);
  }
  if (switches && count(service, true, day, now) >= limits.switches_per_day) {
    return std::to_string(limits.switches_per_day) + " switches in 24 hours";
  }
  if (count(service, false, hour, now) >= limits.mutations_per_hour) {
    return std::to_string(limits.mutations_per_hour) + " actions in an hour";
  }
  return "";
}

std::optional<Instant> Fuse::last_reset(const ServiceName& service) const {
  const auto uses = uses_.find(service);
  if (uses == uses_.end()) return std::nullopt;
  const auto newest = std::find_if(uses->second.rbegin(), uses->second.rend(),
                                   [](const FuseRecord& use) { return use.use == FuseUse::reset; });
  return newest == uses->second.rend() ? std::nullopt : std::optional(newest->at);
}

bool Fuse::counted(const ServiceName& service, const IncidentId& incident, Instant rung_began) const {
  const auto uses = uses_.find(service);
  if (uses == uses_.end()) return false;
  return std::any_of(uses->second.begin(), uses->second.end(), [&](const FuseRecord& use) {
    return use.incident == incident && use.at >= rung_began &&
           (use.use == FuseUse::mutated || use.use == FuseUse::by_hand);
  });
}

}  // namespace rules
