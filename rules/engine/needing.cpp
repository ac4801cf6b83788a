#include <algorithm>
#include <utility>

#include "rules/engine/service.hpp"

// What is wrong with a service that others depend on, and what its dependants make of that (SPEC 2.19).

namespace rules {

namespace {

// What is asked more seldom is not waited for.
constexpr Duration lag_max = std::chrono::seconds(30);
// A process that crashes may be up again at each poll: it has to be well for as long as its own rules take to see that
// they are good again, and for two polls. What takes longer than this has been seen by others by then.
constexpr Duration settling_max = std::chrono::minutes(1);
constexpr int settling_polls = 2;

Duration settling_after_restart(const Evidence& evidence) {
  if (evidence.rules().empty()) return settling_max;
  Duration longest = settling_polls * evidence.slowest_interval();
  for (const WatchedRule* rule : evidence.rules()) {
    if (rule->spec().severity != Severity::p3) longest = std::max(longest, recovery_hold(rule->spec()));
  }
  return std::min(longest, settling_max);
}

}  // namespace

void Service::depend_on(std::vector<Service*> services) {
  depends_on_ = std::move(services);
  // What it depended on before a reload explains nothing any more.
  if (depends_on_.empty()) dependence_ = Dependence();
  Duration lag{};
  for (const Service* one : depends_on_) lag = std::max(lag, one->evidence_.max_gap());
  dependence_.is_measured_within(std::min(lag, lag_max));
}

bool Service::note_trouble() {
  Trouble now = trouble();
  return std::exchange(trouble_, now) != now;
}

// That it cannot be measured is no trouble.
Trouble Service::trouble() const {
  const auto says = [this](std::string what, bool has_limit) {
    return Trouble{spec_.name.text + std::string(on_which_it_depends) + std::move(what), has_limit};
  };
  // Whether the deployment brought another revision only a look after its end can say.
  if (evidence_.is_deploying() || (spec_.has_identity && revisions_.awaits_look()))
    return says("is being deployed", true);
  if (incident_ && incident_->is_changing()) return says("is acted on: " + incident_->record().id.text, true);
  if (const WatchedRule* bad = evidence_.in_trouble()) {
    return says("is in trouble (rule " + bad->name().text + ")", false);
  }
  const Instant now = shared_.measuring.effects.now();
  const bool is_new = now < revisions_.running_since() + spec_.start_deadline;
  const bool may_start = evidence_.is_warming() && (is_new || evidence_.worst_up() == Up::down);
  if (may_start) return says("is given time to start", true);
  return now < evidence_.restarted_at() + settling_after_restart(evidence_) ? says("has just restarted", false)
                                                                            : Trouble();
}

void Service::heed_dependencies() {
  if (depends_on_.empty()) return;
  const Instant now = shared_.measuring.effects.now();
  const auto is_troubled = [](const Service* one) { return !one->trouble_.what.empty(); };
  const auto troubled = std::find_if(depends_on_.begin(), depends_on_.end(), is_troubled);
  dependence_.see(troubled == depends_on_.end() ? Trouble() : (*troubled)->trouble_, evidence_.is_any_bad(), now);
  // What is being done goes on; before the next action what was measured until now is left out.
  const std::optional<Instant> well_since = dependence_.well_since();
  if (!well_since || (incident_ && !incident_->is_waiting())) return;
  if (!evidence_.is_any_explicable()) {
    if (now >= *well_since + evidence_.reach()) dependence_.is_past();
    return;
  }
  Duration most{};
  for (const WatchedRule* rule : std::as_const(evidence_).rules()) most = std::max(most, rule->spec().unless_max);
  if (!dependence_.may_count_anew(most, now)) return dependence_.is_past();
  if (!evidence_.count_anew_what_is_bad(*well_since)) return;
  dependence_.counted_anew(now);
  if (incident_) incident_->count_anew();
  shared_.measuring.effects.note("counts_anew", {{"service", spec_.name.text}});
}

}  // namespace rules
