#include "watcher/cli/follow.hpp"

#include <boost/json.hpp>

#include "watcher/cli/status_fields.hpp"
#include "watcher/cli/table.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr std::size_t detail_max = 300;  // bytes: what a command said is in the report

std::string number_of(const json::value& object, std::string_view key) {
  const json::value* const found = object.is_object() ? object.get_object().if_contains(key) : nullptr;
  return found == nullptr ? "" : json::serialize(*found);
}

std::int64_t count_of(const json::value& object, std::string_view key) {
  const json::value* const found = object.is_object() ? object.get_object().if_contains(key) : nullptr;
  return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

// A step that could not be begun and is begun later is another one, though it stands at the same place.
std::string key_of(const json::value& step) {
  return number_of(step, "rung") + " " + text_of(step, "section") + " " + number_of(step, "step") + " " +
         number_of(step, "attempt") + " " + text_of(step, "started");
}

std::string state_of(const json::value& step) {
  const std::string status = text_of(step, "status");
  if (status == "succeeded") return "ok";
  if (status == "timed_out") return "failed: its time was over";
  return status;
}

// "ok, 12s", "failed, 3s: exit code 1"
std::string ending_of(const json::value& step) {
  std::string text = state_of(step);
  const json::value* const seconds = step.get_object().if_contains("seconds");
  if (seconds != nullptr && seconds->is_number()) text += ", " + short_duration(seconds->to_number<double>());
  if (text_of(step, "status") == "succeeded") return text;
  const std::string why = clean_line(first_line(text_of(step, "detail")), detail_max);
  return why.empty() ? text : text + ": " + why;
}

// " (40 % done, step 3 of 7, usually 2m more)"; empty: it has not begun, or is over.
std::string progress_of(const json::value& incident) {
  const std::string text = progress_text(incident);
  return text.empty() ? "" : " (" + text + ")";
}

std::string until(const json::value& incident) {
  const std::string deadline = text_of(incident, "deadline");
  return deadline.empty() ? "" : ", at most until " + deadline;
}

std::string phase_of(const json::value& incident) {
  const std::string phase = text_of(incident, "phase");
  const std::string id = text_of(incident, "id");
  if (phase == "asking") {
    const std::string& asked = text_of(incident, "asked");
    const std::string& question = asked.empty() ? text_of(incident, "waiting_for") : asked;
    return "a person has to decide: " + question + "\n  rollbackd approve " + id + "   or   rollbackd abort " + id +
           until(incident);
  }
  if (phase == "verifying") return "verifying what runs now" + until(incident);
  if (phase == "settling") return "giving it time to help" + until(incident);
  const std::string waiting = text_of(incident, "waiting_for");
  return phase == "held" && !waiting.empty() ? "waiting: " + waiting : "";
}

}  // namespace

void Follower::end_line() {
  if (open_.empty()) return;
  line_.out() << "\n";
  open_.clear();
}

void Follower::begin_line(const json::value& step, const std::string& key) {
  end_line();
  const std::string section = text_of(step, "section");
  const std::string place = number_of(step, "rung") + section;
  if (place != section_) line_.out() << section << ":\n";
  section_ = place;
  line_.out() << "  " << count_of(step, "step") + 1 << ". " << text_of(step, "text");
  if (const std::int64_t again = count_of(step, "attempt"); again > 0) line_.out() << " (attempt " << again + 1 << ")";
  if (section == "steps" && text_of(step, "ended").empty()) line_.out() << progress_;
  line_.out() << " ... " << std::flush;
  open_ = key;
  open_for_ = rules::Duration::zero();
}

void Follower::look_at_step(const json::value& step) {
  const std::string key = key_of(step);
  if (!step.is_object() || ended_.contains(key)) return;
  const bool has_ended = !text_of(step, "ended").empty();
  // A question is printed with how to answer it.
  if (!has_ended && text_of(step, "kind") == "ask") return;
  if (key != open_) begin_line(step, key);
  const auto& live = line_.terminal().live;
  if (!has_ended) {
    if (live) live("running, " + duration_text(std::chrono::floor<std::chrono::seconds>(open_for_)) + progress_);
    return;
  }
  if (live) live("");
  line_.out() << ending_of(step);
  ended_.insert(key);
  end_line();
}

void Follower::look_at_phase(const json::value& incident) {
  std::string phase = phase_of(incident);
  if (phase == phase_ || !outcome_.empty()) return;
  phase_ = std::move(phase);
  if (phase_.empty()) return;
  end_line();
  line_.out() << phase_ << progress_ << "\n";
}

void Follower::look(const json::value& incident, rules::Duration since_last) {
  if (!incident.is_object()) return;
  id_ = text_of(incident, "id");
  outcome_ = text_of(incident, "outcome");
  outcome_detail_ = text_of(incident, "outcome_detail");
  open_for_ += since_last;
  progress_ = progress_of(incident);
  const json::value* const steps = incident.get_object().if_contains("steps");
  if (steps != nullptr && steps->is_array()) {
    for (const json::value& step : steps->get_array()) look_at_step(step);
  }
  look_at_phase(incident);
  line_.out().flush();
}

void Follower::say(const std::string& what) {
  end_line();
  line_.out().flush();
  line_.err() << "rollbackd: " << what << std::endl;
}

int Follower::end(const std::string& report) {
  end_line();
  if (outcome_.empty()) {
    line_.err() << "rollbackd: it is still open; rollbackd incidents " << id_ << " says how far it came\n";
    return exit_no;
  }
  line_.out() << "outcome: " << outcome_ << "  " << first_line(outcome_detail_) << "\n";
  if (!report.empty()) line_.out() << "report: " << report << "\n";
  return outcome_ == "recovered" ? exit_fine : exit_no;
}

}  // namespace watcher
