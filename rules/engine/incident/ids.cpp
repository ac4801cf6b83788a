#include "rules/engine/incident/ids.hpp"

#include <chrono>
#include <cstdio>

namespace rules {

namespace {

// More than the journal keeps. The oldest go first: only a clock that is set back could make their names again.
constexpr std::size_t known_max = 2000;

std::string id_time(Instant at) {
  using namespace std::chrono;
  const auto since = floor<std::chrono::seconds>(at.time_since_epoch());
  const sys_seconds utc{since};
  const auto day = floor<days>(utc);
  const year_month_day date{day};
  const hh_mm_ss time{utc - day};
  char out[32];
  std::snprintf(out, sizeof out, "%04d%02u%02u-%02d%02d%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return out;
}

}  // namespace

void IncidentIds::know(const IncidentId& id) {
  known_.insert(id);
  if (known_.size() > known_max) known_.erase(known_.begin());
}

IncidentId IncidentIds::take(Instant opened, const ServiceName& service, const std::string& what) {
  const std::string base = id_time(opened) + "-" + service.text + "-" + what;
  IncidentId id(base);
  for (int copy = 2; known_.contains(id); ++copy) id = IncidentId(base + "-" + std::to_string(copy));
  know(id);
  return id;
}

}  // namespace rules
