#include "watcher/run/descriptors.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace watcher {

namespace {

// Standard streams, event loop, doors, locks, the journal, its second copy and the connection that looks whether it is
// whole, samples, a report that is written, a step's child and what it leaves, lookups of names, and connections to
// where a few targets redirect.
constexpr std::size_t own = 48;
constexpr std::size_t of_a_child = 6;         // both ends of its output, its process, /dev/null while it begins
constexpr std::size_t children_at_once = 16;  // of readers and probes; more than that hardly ever run together
constexpr std::size_t of_a_target = 1;
constexpr std::size_t of_a_notifier = 2;
constexpr std::size_t turned_away = 2;  // a visitor without a place, for the moment in which it is told
// Below that neither a scraper nor the command line would get through.
constexpr Places fewest{.web = 2, .crowded = 2, .control = 4};

}  // namespace

std::size_t descriptors_needed(const Config& config) {
  std::size_t children = config.drivers.size();
  for (const probes::ProbeConfig& probe : config.probes) {
    if (std::holds_alternative<probes::ExecProbe>(probe.what)) ++children;
  }
  std::size_t targets = 0;
  for (const rules::ProbeShape& probe : config.core.probes) targets += probe.instances;
  return own + turned_away + of_a_target * targets + of_a_child * std::min(children, children_at_once) +
         of_a_notifier * config.notifiers.size();
}

std::size_t descriptors_allowed() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(limit.rlim_cur);
}

std::variant<Places, std::string> places_among(std::size_t allowed, std::size_t needed) {
  if (allowed < needed + fewest.all()) {
    return fmt::format(
        "{} descriptors are allowed, this configuration needs {}; set LimitNOFILE={} in the unit, or `ulimit -n {}`",
        allowed, needed + fewest.all(), needed + Places().all(), needed + Places().all());
  }
  const std::size_t left = allowed - needed;
  const Places wanted;
  if (left >= wanted.all()) return wanted;
  Places places;
  places.control = std::max(fewest.control, left * wanted.control / wanted.all());
  places.crowded = std::max(fewest.crowded, left * wanted.crowded / wanted.all());
  places.web = left - places.control - places.crowded;
  return places;
}

}  // namespace watcher
