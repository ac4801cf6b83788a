#include "rules/incidents/story.hpp"

#include <algorithm>

namespace rules {

bool was_verified(const IncidentRecord& incident) {
  return std::any_of(incident.timeline.begin(), incident.timeline.end(), [](const TimelineEntry& line) {
    return line.event == story::decided && line.text.starts_with(to_string(Outcome::recovered));
  });
}

}  // namespace rules
