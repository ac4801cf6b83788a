#include "rules/signals/instance.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace rules {

namespace {

constexpr std::string_view start_time_name = "process_start_time_seconds";
constexpr std::size_t restarts_kept_max = 1024;                   // of the last day: more is a crash loop all the same
constexpr std::size_t starts_seen_max = 64;                       // different processes behind one address
constexpr Duration several_memory_min = std::chrono::minutes(5);  // a start time that returns after longer is not seen

}  // namespace

Instance::Instance(const std::vector<Use>& uses, std::size_t signals, Duration horizon)
    : horizon_(horizon), by_use_(uses.size()), floors_(signals) {}

bool Instance::observe(const Poll& poll, const std::vector<Use>& uses) {
  if (last_ && poll.ended <= last_->ended) return false;
  last_ = Last{poll.started, poll.ended, poll.up, poll.fault, poll.missing};
  if (poll.up == Up::up) add_page(poll, uses);
  if (poll.fault && poll.fault->kind == FaultKind::no_memory) forget_all();
  return true;
}

void Instance::add_page(const Poll& poll, const std::vector<Use>& uses) {
  resolve(poll.readings, uses);
  const std::optional<double> start = start_time(poll.readings);
  if (start) note_start_time(*start, poll.ended);
  pages_.push_back(poll.ended);
  const PageNumber page = newest_page();
  std::vector<std::size_t> fallen;
  const std::size_t known = std::min(order_.size(), poll.readings.size());
  for (std::size_t i = 0; i < known; ++i) {
    if (order_[i].key == nullptr) continue;
    Series& series = series_[order_[i].series];
    if (!series.observe(page, poll.readings[i].value)) {
      fallen.insert(fallen.end(), series.counter_of.begin(), series.counter_of.end());
    }
    series.forget_before(first_);
  }
  if (!fallen.empty()) {
    reset_signals(fallen, uses);
    if (!start) note_restart(poll.ended);
  }
  restart_told_ = false;
  trim(poll.ended);
  if (overflowed_) forget_absent_series(uses);
}

void Instance::resolve(const std::vector<Reading>& readings, const std::vector<Use>& uses) {
  overflowed_ = false;
  order_.resize(readings.size());
  for (std::size_t i = 0; i < readings.size(); ++i) {
    assert(readings[i].series != nullptr);
    if (order_[i].key == readings[i].series) continue;
    const std::optional<std::size_t> found = find_or_add(readings[i].series, uses);
    overflowed_ = overflowed_ || !found;
    order_[i] = found ? Place{readings[i].series, *found} : Place{};
  }
}

std::optional<std::size_t> Instance::find_or_add(const SharedSeriesKey& key, const std::vector<Use>& uses) {
  const auto found = by_key_.find(key.get());
  if (found != by_key_.end()) return found->second;
  if (series_.size() == series_per_instance_max) return std::nullopt;
  series_.emplace_back(key);
  by_key_.emplace(key.get(), series_.size() - 1);
  match(series_.size() - 1, uses);
  return series_.size() - 1;
}

void Instance::match(std::size_t series, const std::vector<Use>& uses) {
  Series& matched = series_[series];
  for (std::size_t use = 0; use < uses.size(); ++use) {
    if (!uses[use].selector.matches(matched.key())) continue;
    by_use_[use].push_back(series);
    if (!uses[use].counter) continue;
    matched.use_as(true);
    matched.counter_of.push_back(uses[use].signal);
  }
}

std::optional<double> Instance::start_time(const std::vector<Reading>& readings) const {
  for (const Reading& reading : readings) {
    if (reading.series->name == start_time_name && std::isfinite(reading.value)) return reading.value;
  }
  return std::nullopt;
}

void Instance::note_start_time(double start, Instant ended) {
  const Duration memory = std::max(horizon_, several_memory_min);
  starts_seen_.erase_if([&](const auto& seen) { return seen.second < ended - memory; });
  const bool changed = start_time_ && std::abs(*start_time_ - start) > start_time_jitter;
  const auto known = std::find_if(starts_seen_.begin(), starts_seen_.end(), [start](const auto& seen) {
    return std::abs(seen.first - start) <= start_time_jitter;
  });
  if (changed) {
    begin_anew();
    if (known != starts_seen_.end()) {
      several_seen_ = ended;
    } else {
      note_restart(ended);
    }
  }
  start_time_ = start;
  if (known != starts_seen_.end()) {
    known->second = ended;
  } else if (starts_seen_.size() < starts_seen_max) {
    starts_seen_.emplace(start, ended);
  }
}

void Instance::note_restart(Instant at) {
  // One restart is told by several signs: the container's id, the start time, counters that fell.
  if (restart_told_) return;
  restarts_.push_back(at);
  if (restarts_.size() > restarts_kept_max) restarts_.pop_front();
}

void Instance::restarted(Instant at) {
  note_restart(at);
  restart_told_ = !has_page() || pages_.back() < at;
  if (restart_told_) {
    begin_anew();
    return;
  }
  while (pages_.front() < at) {
    pages_.pop_front();
    ++first_;
  }
  began_by_restart_ = true;
}

void Instance::begin_anew() {
  first_ += static_cast<PageNumber>(pages_.size());
  pages_.clear();
  began_by_restart_ = true;
  for (Series& series : series_) series.forget();
}

// What is remembered of the process and its restarts is little, and stays.
void Instance::forget_all() {
  begin_anew();
  began_by_restart_ = false;
  by_key_.clear();
  series_ = {};
  order_ = {};
  pages_ = {};
  for (auto& series : by_use_) series = {};
}

std::size_t Instance::bytes() const {
  constexpr std::size_t in_index = 96;  // of a series: a node of by_key_, and what the allocator adds
  std::size_t bytes = sizeof(Instance) + pages_.bytes() + order_.capacity() * sizeof(Place);
  bytes += (series_.capacity() - series_.size()) * sizeof(Series) + by_key_.size() * in_index;
  for (const Series& series : series_) bytes += series.bytes();
  for (const auto& indices : by_use_) bytes += indices.capacity() * sizeof(std::size_t);
  return bytes;
}

void Instance::trim(Instant newest) {
  while (pages_.size() > 1 && pages_[1] <= newest - horizon_) {
    pages_.pop_front();
    ++first_;
  }
}

// A series that fell was not the only one of a restarted process: what the page lacks is not to be compared later
// with what the old process had counted.
void Instance::reset_signals(const std::vector<std::size_t>& signals, const std::vector<Use>& uses) {
  const PageNumber page = newest_page();
  for (const std::size_t signal : signals) floors_[signal] = {page, Cause::counter_reset};
  for (std::size_t use = 0; use < uses.size(); ++use) {
    if (std::find(signals.begin(), signals.end(), uses[use].signal) == signals.end()) continue;
    for (const std::size_t series : by_use_[use]) {
      if (!series_[series].present(page)) series_[series].forget();
    }
  }
}

void Instance::forget_absent_series(const std::vector<Use>& uses) {
  std::erase_if(series_, [page = newest_page()](const Series& series) { return !series.present(page); });
  std::vector<std::optional<std::size_t>> same(floors_.size());
  for (std::size_t signal = 0; signal < same.size(); ++signal) same[signal] = signal;
  use_for(uses, same, horizon_);
}

void Instance::use_for(const std::vector<Use>& uses, const std::vector<std::optional<std::size_t>>& old_signal,
                       Duration horizon) {
  horizon_ = horizon;
  std::vector<Floor> floors(old_signal.size());
  for (std::size_t signal = 0; signal < floors.size(); ++signal) {
    const PageNumber next = first_ + static_cast<PageNumber>(pages_.size());
    floors[signal] = old_signal[signal] ? floors_[*old_signal[signal]] : Floor{next, Cause::warming_up};
  }
  floors_ = std::move(floors);
  by_use_.assign(uses.size(), {});
  by_key_.clear();
  order_.clear();
  for (std::size_t i = 0; i < series_.size(); ++i) {
    by_key_.emplace(&series_[i].key(), i);
    series_[i].counter_of.clear();
    match(i, uses);
    if (series_[i].counter_of.empty()) series_[i].use_as(false);
  }
}

std::optional<PageNumber> Instance::page_at(Instant at) const {
  const auto after = std::partition_point(pages_.begin(), pages_.end(), [at](Instant page) { return page <= at; });
  if (after == pages_.begin()) return std::nullopt;
  return first_ + static_cast<PageNumber>(after - pages_.begin()) - 1;
}

Floor Instance::floor(std::size_t signal) const {
  const Floor own = floors_[signal];
  if (own.page > first_ || (own.page == first_ && own.cause == Cause::counter_reset)) return own;
  return {first_, began_by_restart_ ? Cause::counter_reset : Cause::warming_up};
}

std::vector<const Series*> Instance::named(const std::string& name) const {
  std::vector<const Series*> out;
  const SeriesKey from{name, {}};
  for (auto it = by_key_.lower_bound(&from); it != by_key_.end() && it->first->name == name; ++it) {
    out.push_back(&series_[it->second]);
  }
  return out;
}

}  // namespace rules
