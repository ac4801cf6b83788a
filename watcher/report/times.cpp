#include "watcher/report/times.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <cmath>

#include "watcher/report/text.hpp"

namespace watcher {

namespace {

constexpr std::string_view older = "the version of rollbackd that opened it did not keep it";

constexpr std::ptrdiff_t before_decision = 3;  // moments: the deploy, the first bad sample, the detection

// An incident that an older version opened has none of these times.
bool is_kept(const rules::IncidentRecord& incident) { return incident.times.counted_until.has_value(); }

std::string why_none(const rules::IncidentRecord& incident, std::string_view otherwise) {
  if (!is_kept(incident)) return std::string(older);
  return std::string(incident.outcome ? otherwise : std::string_view("not yet"));
}

Moment deploy(const rules::IncidentRecord& incident) {
  Moment out{"deploy", incident.times.deployed, "", {}, ""};
  out.unknown = is_kept(incident) ? incident.times.undeployed : std::string(older);
  return out;
}

Moment first_bad(const rules::IncidentRecord& incident) {
  Moment out{"first bad sample", {}, "no rule fired, it was begun by hand", {}, ""};
  if (incident.rules.empty()) return out;
  out.at = incident.rules.front().bad_since;
  out.unknown = is_kept(incident) ? "it was bad before rollbackd was started" : std::string(older);
  return out;
}

Moment detection(const rules::IncidentRecord& incident) {
  Moment out{"detection", {}, "no rule fired, it was begun by hand", {}, ""};
  if (!incident.rules.empty()) out.at = incident.rules.front().joined;
  return out;
}

Moment decision(const rules::IncidentRecord& incident) {
  return {"decision", incident.times.decided, why_none(incident, "nothing was decided"), {}, ""};
}

// The end of the newest switch that was done.
Moment switched(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps) {
  Moment out{"switch", {}, incident.outcome || incident.switched ? "nothing was switched" : "not yet", {}, ""};
  for (const rules::StepRecord& step : steps) {
    if (step.kind != "switch" || step.id.step == static_cast<std::size_t>(-1)) continue;
    if (step.status == rules::StepStatus::succeeded) out.at = step.ended;
    out.unknown = step.status == rules::StepStatus::started ? "it is under way" : "it did not go well";
  }
  return out;
}

Moment recovery(const rules::IncidentRecord& incident) {
  return {"recovery",
          incident.times.recovered,
          why_none(incident, incident.rules.empty() ? "no rule fired, it was begun by hand"
                                                    : "its rules were not measured to be good"),
          {},
          ""};
}

std::string rounded(double count) { return number_text(std::round(count)); }

rules::Duration unmeasured(const rules::IncidentRecord& incident) {
  rules::Duration sum{};
  for (const auto& [cause, length] : incident.times.unmeasured_ns) sum += rules::Duration(length);
  return sum;
}

// What was bad before a deployment and goes on after it, for one, began before it.
std::string after_text(const Moment& moment) {
  if (!moment.after) return "–";
  const bool is_before = *moment.after < rules::Duration::zero();
  return duration_text(is_before ? -*moment.after : *moment.after) + (is_before ? " before " : " after ") +
         moment.after_what;
}

bool is_downtime_measured(const rules::IncidentRecord& incident) {
  return is_kept(incident) && !incident.rules.empty();
}

}  // namespace

std::vector<Moment> moments_of(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps) {
  std::vector<Moment> out{deploy(incident), first_bad(incident), detection(incident), decision(incident),
                          switched(incident, steps)};
  const Moment recovered = recovery(incident);
  const auto is_later = [&](const Moment& one) { return one.at && recovered.at && *one.at > *recovered.at; };
  // What was good again by itself was so before that was acted on, or seen.
  out.insert(std::find_if(out.begin() + before_decision, out.end(), is_later), recovered);
  const Moment* before = nullptr;
  for (Moment& moment : out) {
    if (!moment.at) continue;
    moment.unknown.clear();
    if (before != nullptr) {
      moment.after = *moment.at - *before->at;
      moment.after_what = before->name;
    }
    before = &moment;
  }
  return out;
}

std::string downtime_text(const rules::IncidentRecord& incident) {
  if (!is_kept(incident)) return "unknown: " + std::string(older);
  if (incident.rules.empty()) return "not measured: no rule fired, it was begun by hand";
  std::string text = duration_text(rules::Duration(incident.times.bad_ns));
  if (unmeasured(incident) < std::chrono::seconds(1)) return text;
  text += "; " + duration_text(unmeasured(incident)) + " more could not be measured (";
  std::string causes;
  for (const auto& [cause, length] : incident.times.unmeasured_ns)
    causes += (causes.empty() ? "" : ", ") + cause + " " + duration_text(rules::Duration(length));
  return text + causes + ")";
}

std::string failed_requests_text(const rules::IncidentRecord& incident) {
  if (!is_kept(incident)) return "unknown: " + std::string(older);
  if (!incident.times.counts_requests)
    return incident.outcome ? "not measured: no error ratio is concerned" : "none was counted so far";
  return rounded(incident.times.failed) + " of " + rounded(incident.times.requests);
}

std::string times_markdown(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps) {
  std::string text = "## Times (UTC)\n\n| | time | |\n|---|---|--:|\n";
  for (const Moment& moment : moments_of(incident, steps)) {
    const std::string at = moment.at ? utc_text(*moment.at) : "unknown: " + markdown_text(moment.unknown);
    text += "| " + moment.name + " | " + at + " | " + after_text(moment) + " |\n";
  }
  text += "| downtime in total | " + markdown_text(downtime_text(incident)) + " | |\n";
  return text + "| requests that failed | " + markdown_text(failed_requests_text(incident)) + " | |\n\n";
}

std::string times_text(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps) {
  std::string text = "times\n";
  for (const Moment& moment : moments_of(incident, steps)) {
    text += "  " + moment.name + ": " + (moment.at ? iso_text(*moment.at) : "unknown: " + moment.unknown);
    text += moment.after ? ", " + after_text(moment) + "\n" : "\n";
  }
  text += "  downtime in total: " + downtime_text(incident) + "\n";
  return text + "  requests that failed: " + failed_requests_text(incident) + "\n";
}

boost::json::object times_json(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps) {
  boost::json::object object;
  for (const Moment& moment : moments_of(incident, steps)) {
    std::string key = moment.name;
    for (char& c : key) c = c == ' ' ? '_' : c;
    boost::json::object one;
    one["at"] = moment.at ? boost::json::value(iso_text(*moment.at)) : boost::json::value(nullptr);
    one["unknown"] = moment.at ? boost::json::value(nullptr) : boost::json::value(moment.unknown);
    one["after_seconds"] =
        moment.after ? boost::json::value(rules::seconds(*moment.after)) : boost::json::value(nullptr);
    one["after"] = moment.after ? boost::json::value(moment.after_what) : boost::json::value(nullptr);
    object[key] = std::move(one);
  }
  const bool measured = is_downtime_measured(incident);
  const double bad = rules::seconds(rules::Duration(incident.times.bad_ns));
  object["downtime_seconds"] = measured ? boost::json::value(bad) : boost::json::value(nullptr);
  object["unmeasured_seconds"] =
      measured ? boost::json::value(rules::seconds(unmeasured(incident))) : boost::json::value(nullptr);
  const bool counted = incident.times.counts_requests;
  object["requests_failed"] =
      counted ? boost::json::value(std::round(incident.times.failed)) : boost::json::value(nullptr);
  object["requests"] = counted ? boost::json::value(std::round(incident.times.requests)) : boost::json::value(nullptr);
  return object;
}

}  // namespace watcher
