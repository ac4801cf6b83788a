#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rules/base/poll.hpp"
#include "rules/engine/config.hpp"
#include "rules/incidents/records.hpp"

namespace watcher {

// What an incident's rules compare, as it went before, during and after it. It is worked out anew from recorded
// samples, by what the engine judges with, so a plot shows what the rule saw.

struct PlotPoint {
  rules::Instant at;
  std::optional<double> value;  // none: it could not be measured
};

struct Plot {
  std::string condition;  // one comparison, as written: "error_rate > 5%"
  std::string unit;       // in which people read it; empty: as it is
  std::optional<double> threshold;
  std::vector<PlotPoint> points;
};

struct PlotMark {
  rules::Instant at;
  std::string what;  // "deployed", "fired", "switched"
};

struct PlotSpan {
  rules::Instant from;
  rules::Instant to;
};

// From some time before it went bad, or before the deployment where that is not long ago, to its end.
PlotSpan plot_span(const rules::IncidentRecord& incident);
// Whose polls are needed.
std::set<rules::ProbeName> plotted_probes(const rules::CoreConfig& core, const rules::IncidentRecord& incident);
// From when polls are needed: windows at the span's begin look back.
rules::Instant polls_since(const rules::CoreConfig& core, const rules::IncidentRecord& incident);
// In the order of time.
std::vector<PlotMark> plot_marks(const rules::IncidentRecord& incident);

// One for each comparison of the incident's rules, or of all its service's when it was begun by hand; none of those
// that could never be measured. `polls` in the order in which they ended.
std::vector<Plot> plots_of(const rules::CoreConfig& core, const rules::IncidentRecord& incident,
                           const std::vector<rules::Poll>& polls);

// An <svg> of its own, without scripts: the value, gaps where there is none, the threshold, the marks.
std::string plot_svg(const Plot& plot, const PlotSpan& span, const std::vector<PlotMark>& marks);

}  // namespace watcher
