#include "application.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sim {

namespace {

constexpr Duration between_looks = 25s;  // two looks have to agree

rules::SharedSeriesKey series(const std::string& name, std::vector<rules::Label> labels = {}) {
  return std::make_shared<const rules::SeriesKey>(rules::SeriesKey{name, std::move(labels)});
}

struct Keys {
  rules::SharedSeriesKey ok = series("http_requests_total", {{"code", "200"}});
  rules::SharedSeriesKey failed = series("http_requests_total", {{"code", "500"}});
  rules::SharedSeriesKey fast = series("http_request_duration_seconds_bucket", {{"le", "0.1"}});
  rules::SharedSeriesKey second = series("http_request_duration_seconds_bucket", {{"le", "1"}});
  rules::SharedSeriesKey ten = series("http_request_duration_seconds_bucket", {{"le", "10"}});
  rules::SharedSeriesKey all = series("http_request_duration_seconds_bucket", {{"le", "+Inf"}});
  rules::SharedSeriesKey start = series("process_start_time_seconds");
  rules::SharedSeriesKey memory = series("memory_used");
};

const Keys& keys() {
  static const Keys all;
  return all;
}

}  // namespace

void Application::deploy(const std::string& revision, Instant now) {
  serve(now);
  if (revision != running_) {
    // What was away for less time than between two looks was never away for who looks.
    const bool was_hardly_away = revision == before_ && now < running_since_ + between_looks;
    const Instant since = was_hardly_away ? before_since_ : now;
    before_ = std::exchange(running_, revision);
    before_since_ = std::exchange(running_since_, since);
  }
  restart(now);
}

void Application::restart(Instant now) {
  serve(now);
  started_ = now;
  ok_ = errors_ = fast_ = slow_ = 0;
  dead = false;
}

Release Application::release(Instant now) const {
  const auto found = releases.find(running_);
  if (found == releases.end() || now < running_since_ + found->second.harmless_for) return {};
  return found->second;
}

bool Application::crashing(Instant now) const {
  const Release is = release(now);
  if (is.crash_every == Duration::zero()) return false;
  return (now - running_since_) % is.crash_every < is.crash_lasts;
}

bool Application::is_down(Instant now) const { return dead || release(now).down || crashing(now); }

bool Application::is_harmful(Instant now) const {
  const Release is = release(now);
  const bool comes_and_goes = is.crash_every != Duration::zero() || is.blinks_every != Duration::zero();
  return is_down(now) || comes_and_goes || is.errors + is.slow + is.leak + trouble > 0 || is.memory > Release().memory;
}

// As others notice it. What nobody asks for is not measured either.
double Application::failing(Instant now) const {
  constexpr double busy = 20;
  if (is_down(now)) return 1;
  return requests_per_second < busy ? 0 : std::min(1.0, release(now).errors + trouble);
}

void Application::serve(Instant now) {
  if (is_harmful(now)) harmful_at_ = now;
  const Release is = release(now);
  // A process that crashes counts anew.
  const bool crashes = is.crash_every != Duration::zero();
  const Instant crashed = crashes ? now - (now - running_since_) % is.crash_every + is.crash_lasts : started_;
  if (crashes && crashed <= now && crashed > started_) {
    started_ = crashed;
    served_until_ = std::max(served_until_, crashed);
    ok_ = errors_ = fast_ = slow_ = 0;
  }
  if (!is_down(now)) {
    const double requests = requests_per_second * rules::seconds(now - served_until_);
    const double reached = needs.whom == nullptr ? 0 : needs.share * needs.whom->failing(now);
    const double failed = std::min(1.0, is.errors + trouble + reached);
    ok_ += requests * (1 - failed);
    errors_ += requests * failed;
    fast_ += requests * (1 - is.slow);
    slow_ += requests * is.slow;
  }
  served_until_ = now;
}

void Application::answer(Page page, Instant now, rules::Poll& poll) {
  serve(now);
  poll.up = rules::Up::up;
  if (page != Page::host && is_down(now)) {
    poll.up = rules::Up::down;
    poll.fault = rules::Fault{rules::FaultKind::refused, "connect: refused"};
    return;
  }
  const Release is = release(now);
  const bool blinks = is.blinks_every != Duration::zero() && (now - running_since_) % is.blinks_every < is.blinks_for;
  const bool misses = needs.health && needs.whom != nullptr && needs.whom->is_down(now);
  if (page == Page::health && (blinks || misses)) {
    poll.up = rules::Up::down;
    poll.fault = rules::Fault{rules::FaultKind::server_error, "503"};
  }
  if (page == Page::host) {
    const double used = is.memory + is.leak * rules::seconds(now - running_since_) / 3600;
    poll.readings.push_back({keys().memory, std::min(used, 0.99)});
  }
  if (page != Page::app) return;
  // Whole requests, as counters count them: none of them ever falls, as a difference of two could by what is rounded.
  const double failed = std::floor(errors_);
  const double ok = std::floor(ok_);
  const double slow = std::floor(slow_);
  const double fast = std::floor(fast_);
  poll.readings = {{keys().ok, ok},
                   {keys().failed, failed},
                   {keys().fast, fast},
                   {keys().second, fast},
                   {keys().ten, fast + slow},
                   {keys().all, fast + slow},
                   {keys().start, rules::unix_seconds(started_)}};
}

}  // namespace sim
