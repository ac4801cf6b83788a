#pragma once

#include <string>
#include <string_view>

namespace watcher {

// What the API lists, as people read it beside a report. Never a whole description: environments may have secrets. Of
// what is no such list it is said that it is none.

// Each pod with the conditions that do not hold, and its containers: images, restarts, why they wait or ended.
std::string kubernetes_pods_shown(std::string_view json);
// Each ReplicaSet with its revision, its pods and its images.
std::string kubernetes_sets_shown(std::string_view json);
// The newest last.
std::string kubernetes_events_shown(std::string_view json);

}  // namespace watcher
