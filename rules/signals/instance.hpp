#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "rules/base/poll.hpp"
#include "rules/base/seldom.hpp"
#include "rules/signals/ring.hpp"
#include "rules/signals/selector.hpp"

namespace rules {

// The most series that are kept of one instance. A page with more is a selector that is too wide; signals of that
// probe are then unknown, because sums over a part would be wrong.
inline constexpr std::size_t series_per_instance_max = 10'000;

// Client libraries compute a process's start from the boot time, which moves by a second with the clock's corrections.
inline constexpr double start_time_jitter = 2.0;  // seconds

// What one signal wants of a page.
struct Use {
  Selector selector;
  std::size_t signal = 0;  // index into the signals of all probes
  bool counter = false;    // its history is kept, and a decrease is a reset
};

// Pages are numbered from 0 as they come, per instance.
using PageNumber = std::uint32_t;

// From where on a signal's windows may begin, and what they are unknown with when that leaves them too short.
struct Floor {
  PageNumber page = 0;
  Cause cause = Cause::warming_up;
};

// A series of one instance. Counters keep one sample for each change of their value.
class Series {
 public:
  explicit Series(SharedSeriesKey key) : key_(std::move(key)), key_bytes_(bytes_of(*key_)) {}

  const SeriesKey& key() const { return *key_; }
  bool present(PageNumber page) const { return seen_ && last_seen_ == page; }
  double newest() const { return newest_; }
  // Stores the value of a page; false when a counter's value went down.
  bool observe(PageNumber page, double value);
  void forget_before(PageNumber page);
  void forget();
  // The value at a page, none when the page did not have the series. Counters only.
  std::optional<double> at(PageNumber page) const;
  // The value at the page, or the last one before it that is not from before the floor.
  std::optional<double> at_or_before(PageNumber page, PageNumber floor) const;

  // About how many bytes of memory it keeps.
  std::size_t bytes() const;

  // Counters keep a history, others their newest value only.
  void use_as(bool counter);

  std::vector<std::size_t> counter_of;  // signals

 private:
  struct Sample {
    PageNumber page = 0;
    bool absent = false;  // from this page on it was not there
    double value = 0;
  };
  std::size_t index_at(PageNumber page) const;  // one past the last sample at or before it
  std::optional<double> last_known() const;

  SharedSeriesKey key_;
  std::size_t key_bytes_;
  Ring<Sample> samples_;
  double newest_ = 0;
  PageNumber last_seen_ = 0;
  bool seen_ = false;
  bool is_counter_ = false;
};

// What came of one address of a probe: its pages for as long as a window needs them.
class Instance {
 public:
  struct Last {
    Instant started;
    Instant ended;
    Up up = Up::unknown;
    std::optional<Fault> fault;
    std::vector<Missing> missing{};
  };

  Instance(const std::vector<Use>& uses, std::size_t signals, Duration horizon);

  // Stores a poll; an older one than the newest is ignored. False when it was ignored. One that was given up for want
  // of memory empties it: what was kept is what there is no room for, and windows begin anew.
  bool observe(const Poll& poll, const std::vector<Use>& uses);
  void restarted(Instant at);
  // The same data for other uses: signals that were not measured before begin with the next page.
  // `old_signal` says which signal each was, none when it is new.
  void use_for(const std::vector<Use>& uses, const std::vector<std::optional<std::size_t>>& old_signal,
               Duration horizon);

  const std::optional<Last>& last() const { return last_; }
  bool has_page() const { return !pages_.empty(); }
  PageNumber first_page() const { return first_; }
  PageNumber newest_page() const { return first_ + static_cast<PageNumber>(pages_.size()) - 1; }
  Instant ended(PageNumber page) const { return pages_[page - first_]; }
  // The newest page that ended at or before the time, none when all are later.
  std::optional<PageNumber> page_at(Instant at) const;
  // The floor of a signal's windows without any scope.
  Floor floor(std::size_t signal) const;

  const std::vector<Series>& series() const { return series_; }
  const std::vector<std::size_t>& series_of(std::size_t use) const { return by_use_[use]; }
  // Series of a name, in the order of their keys.
  std::vector<const Series*> named(const std::string& name) const;
  const Ring<Instant>& restarts() const { return restarts_; }
  const std::optional<Instant>& several_seen() const { return several_seen_; }
  bool overflowed() const { return overflowed_; }
  // About how many bytes of memory it keeps.
  std::size_t bytes() const;

 private:
  struct KeyLess {
    bool operator()(const SeriesKey* a, const SeriesKey* b) const { return *a < *b; }
  };
  struct Place {
    SharedSeriesKey key;
    std::size_t series = 0;
  };

  void add_page(const Poll& poll, const std::vector<Use>& uses);
  void resolve(const std::vector<Reading>& readings, const std::vector<Use>& uses);
  std::optional<std::size_t> find_or_add(const SharedSeriesKey& key, const std::vector<Use>& uses);
  void match(std::size_t series, const std::vector<Use>& uses);
  std::optional<double> start_time(const std::vector<Reading>& readings) const;
  void note_start_time(double start, Instant ended);
  void begin_anew();
  void forget_all();
  void note_restart(Instant at);
  void reset_signals(const std::vector<std::size_t>& signals, const std::vector<Use>& uses);
  void trim(Instant newest);
  void forget_absent_series(const std::vector<Use>& uses);

  Duration horizon_;
  std::optional<Last> last_;
  Ring<Instant> pages_;
  PageNumber first_ = 0;
  bool began_by_restart_ = false;
  bool overflowed_ = false;
  std::vector<Series> series_;
  std::map<const SeriesKey*, std::size_t, KeyLess> by_key_;
  std::vector<Place> order_;  // how the last page was ordered: the next one mostly is too
  std::vector<std::vector<std::size_t>> by_use_;
  std::vector<Floor> floors_;  // by signal
  std::optional<double> start_time_;
  Seldom<std::map<double, Instant>> starts_seen_;  // process start times, and when each was last seen
  std::optional<Instant> several_seen_;
  Ring<Instant> restarts_;
  bool restart_told_ = false;  // by something else than a page, and no page came since
};

}  // namespace rules
