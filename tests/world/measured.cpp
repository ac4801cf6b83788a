#include "measured.hpp"

#include <algorithm>

namespace sim {

using namespace rules;

namespace {

constexpr double share_limit = 0.05;
constexpr double memory_limit = 0.9;
// Of what can still be in a window or a span.
constexpr Duration kept = 25min;
constexpr Duration window_least = 30s;   // 60 % of a minute, and a poll that came late
constexpr Duration window_most = 330s;   // window_max, and a poll
constexpr double surely_requests = 120;  // enough for any signal
constexpr Duration rounding = 60ms;

}  // namespace

About about(const RuleName& rule) {
  if (rule.text.ends_with("-errors")) return About::errors;
  if (rule.text.ends_with("-slow")) return About::slow;
  return rule.text.ends_with("-memory") ? About::memory : About::down;
}

std::string probe_of(const RuleSpec& rule) {
  switch (about(rule.name)) {
    case About::errors:
    case About::slow:
      return rule.service.text + "_app";
    case About::memory:
      return rule.service.text + "_host";
    case About::down:
      return rule.service.text + "_health";
  }
  return "";
}

Measured::Measured(const RuleSpec& rule, Duration interval, Duration max_gap)
    : rule_(rule), about_(about(rule.name)), interval_(interval), max_gap_(max_gap) {}

Measured::Seen Measured::read(const Poll& poll) const {
  Seen seen;
  seen.at = poll.ended;
  if (about_ == About::down) {
    seen.known = poll.up != Up::unknown;
    seen.bad = poll.up == Up::down ? 1 : 0;
    return seen;
  }
  seen.known = poll.up == Up::up;
  for (const Reading& reading : poll.readings) {
    const SeriesKey& key = *reading.series;
    if (key.name == "process_start_time_seconds") seen.start = reading.value;
    if (key.name == "memory_used") seen.bad = reading.value > memory_limit ? 1 : 0;
    const std::string label = key.labels.empty() ? "" : key.labels.front().value;
    if (about_ == About::errors && key.name == "http_requests_total") {
      seen.all += reading.value;
      if (label == "500") seen.bad += reading.value;
    }
    if (about_ == About::slow && label == "+Inf") seen.all = reading.value;
    if (about_ == About::slow && label == "1") seen.bad = reading.value;
  }
  if (about_ == About::slow) seen.bad = seen.all - seen.bad;
  return seen;
}

// From the poll before on: the restart was noticed while that one's verdict still held.
bool Measured::may_be_left_out(const Seen& seen) const {
  return std::any_of(warming_.begin(), warming_.end(), [&](const auto& warming) {
    return seen.at + max_gap_ >= warming.first && seen.at <= warming.second;
  });
}

bool Measured::has_window(const Seen& seen) const {
  return std::any_of(seen_.begin(), seen_.end(), [&](const Seen& old) {
    return old.all > 0 && old.start == seen.start && seen.at - old.at >= window_least;
  });
}

// By any window that could be taken.
bool Measured::could_be_bad(const Seen& seen) const {
  if (!seen.known) return false;
  if (about_ == About::down || about_ == About::memory) return seen.bad > 0;
  return std::any_of(seen_.begin(), seen_.end(), [&](const Seen& old) {
    const Duration window = seen.at - old.at;
    // One that begins where nothing was counted yet may be taken as well.
    if (old.start != seen.start || window < window_least || window > window_most) return false;
    return seen.bad - old.bad > share_limit * (seen.all - old.all);
  });
}

// By all of them.
bool Measured::is_surely_bad(const Seen& seen) const {
  if (!seen.known) return false;
  if (about_ == About::down || about_ == About::memory) return seen.bad > 0;
  int windows = 0;
  for (const Seen& old : seen_) {
    const Duration window = seen.at - old.at;
    if (old.start != seen.start || old.all == 0 || window < window_least || window > window_most) continue;
    ++windows;
    if (seen.all - old.all < surely_requests || seen.bad - old.bad < 2 * share_limit * (seen.all - old.all))
      return false;
  }
  return windows > 2;
}

// Too little of it says nothing, however well that went.
bool Measured::has_traffic(const Seen& seen) const {
  if (about_ == About::down || about_ == About::memory) return true;
  return std::all_of(seen_.begin(), seen_.end(), [&](const Seen& old) {
    const Duration window = seen.at - old.at;
    const bool is_other = old.start != seen.start || window < window_least || window > window_most;
    return is_other || seen.all - old.all >= surely_requests;
  });
}

void Measured::note_good(const Seen& seen, bool broken) {
  if (!seen.known || seen.could_be_bad || broken || !has_traffic(seen)) {
    surely_good_since_.reset();
  } else if (!surely_good_since_) {
    surely_good_since_ = seen.at;
  }
  if (is_surely_bad(seen)) {
    maybe_good_since_.reset();
  } else if (seen.known && !maybe_good_since_) {
    maybe_good_since_ = seen.at;
  }
  if (maybe_good_since_ && seen.at + interval_ - *maybe_good_since_ >= recovery_hold(rule_)) could_clear_at_ = seen.at;
}

void Measured::add(const Poll& poll) {
  Seen seen = read(poll);
  seen.could_be_bad = could_be_bad(seen);
  // A window that is not filled yet says nothing.
  const bool is_windowed = about_ == About::errors || about_ == About::slow;
  if (is_windowed && !seen.could_be_bad && !has_window(seen)) seen.known = false;
  const bool broken = !seen_.empty() && seen.at - seen_.back().at > max_gap_;
  if (!is_surely_bad(seen) || broken) {
    surely_bad_since_.reset();
  } else if (!surely_bad_since_) {
    surely_bad_since_ = seen.at;
  }
  if (surely_bad_since_ && !may_be_left_out(seen)) surely_bad_at_ = seen.at;
  note_good(seen, broken);
  if (poll.up != Up::unknown) known_at_ = seen.at;
  last_ = seen.at;
  seen_.push_back(seen);
  while (!warming_.empty() && warming_.front().second + kept < seen.at) warming_.pop_front();
  while (seen_.front().at + kept < seen.at) seen_.pop_front();
}

std::string Measured::story(Instant now) const {
  std::string out;
  for (const Seen& seen : seen_) {
    if (seen.at + 3 * rule_.sustain + 1min < now) continue;
    out += seen.known ? (seen.could_be_bad ? "+" : "-") : "?";
    out += std::to_string((now - seen.at) / 1s) + " ";
  }
  return out + "ago, counts since " +
         (counts_from_ > Instant::min() ? std::to_string((now - counts_from_) / 1s) : "ever");
}

bool Measured::could_fire(Instant now, Instant from) const {
  if (seen_.empty() || !seen_.back().could_be_bad) return false;
  const bool gaps = seen_.size() < 2 || !seen_[seen_.size() - 2].known || now - seen_[seen_.size() - 2].at > max_gap_;
  // Once it is full a span waits for its confirmation, for as long again as it may stretch.
  const Duration stretch = rule_.sustain * 5 / 3 + (gaps ? rule_.sustain * 5 / 3 : Duration::zero());
  const Duration least_stretch = rule_.sustain == Duration::zero() ? Duration(2min) : stretch;
  const Instant edge = std::max(from, now - least_stretch - 2 * interval_ - 5s);
  Duration bad{};
  Duration observed{};
  Duration spared{};
  int samples = 0;
  Instant until = now;
  for (auto seen = seen_.rbegin(); seen != seen_.rend() && until > edge; ++seen) {
    const Instant begin = std::max(seen->at, edge);
    const Instant end = std::min(until, seen->at + max_gap_);
    until = seen->at;
    if (!seen->known || end < begin) continue;
    // Good time that may have been warming up fills a span, if that was the only thing missing, and spoils none.
    if (!seen->could_be_bad && may_be_left_out(*seen)) {
      spared += end - begin;
      continue;
    }
    if (seen->could_be_bad && seen->at >= from) ++samples;
    const bool enough = samples >= (rule_.sustain == Duration::zero() ? 2 : 3);
    const auto holds = [&](Duration part) {
      const Duration all = observed + part;
      const Duration worst = bad + (seen->could_be_bad ? part : Duration::zero());
      const double needed = rule_.quorum * static_cast<double>(all.count());
      return enough && all + spared + rounding >= rule_.sustain &&
             static_cast<double>((worst + rounding).count()) >= needed;
    };
    const Duration part = end - begin;
    const Duration just_enough = std::min(part, std::max<Duration>(rule_.sustain - observed, Duration::zero()));
    if (holds(part) || (seen->could_be_bad && holds(just_enough))) return true;
    observed += part;
    if (seen->could_be_bad) bad += part;
  }
  return false;
}

}  // namespace sim
