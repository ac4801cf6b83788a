#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rules/base/poll.hpp"
#include "rules/conditions/judgement.hpp"
#include "rules/engine/config.hpp"
#include "rules/incidents/records.hpp"

namespace watcher {

// What the rules of an incident's service compare, as it went before, during and after it. It is worked out anew from
// recorded samples, by what the engine judges with, so a plot shows what the rule saw.

struct PlotPoint {
  rules::Instant at;
  std::optional<double> value;  // none: it could not be measured
};

struct Plot {
  std::string condition;  // one comparison, as written: "error_rate > 5%"; of what nothing compares its name: "queue"
  std::string unit;       // in which people read it; empty: as it is
  std::optional<double> threshold;
  std::vector<PlotPoint> points;
};

struct PlotMark {
  rules::Instant at;
  std::string what;  // "deployed", "fired", "switched"
};

// A rule of the service that did not fire, in the time that is drawn.
struct Bystander {
  rules::RuleName rule;
  rules::Severity severity = rules::Severity::p1;
  rules::Judgement judgement;  // when the incident opened
  rules::Verdict at_end = rules::Verdict::unknown;
  rules::Duration bad{};  // in all
  rules::Duration sustain{};
};

// What was so around an incident.
struct Around {
  std::vector<Plot> plots;
  std::vector<Bystander> bystanders;
  std::vector<std::string> unmeasured;  // conditions that could be measured at no time of it
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

// A plot for each comparison of its service's rules, those that fired first, then for each other signal that is
// measured for it. `polls` in the order in which they ended.
Around around(const rules::CoreConfig& core, const rules::IncidentRecord& incident,
              const std::vector<rules::Poll>& polls);

// An <svg> of its own, without scripts: the value, gaps where there is none, the threshold, the marks.
std::string plot_svg(const Plot& plot, const PlotSpan& span, const std::vector<PlotMark>& marks);
// The same in three lines of text.
std::string plot_text(const Plot& plot, const PlotSpan& span, const std::vector<PlotMark>& marks);
// What the letters and signs of plot_text() mean, a line.
std::string plot_legend(const PlotSpan& span, const std::vector<PlotMark>& marks);

}  // namespace watcher
