#include "probes/ask/frame.hpp"

#include <memory>
#include <utility>

namespace probes {

namespace {

// All probes have this field: there is one key of it.
const rules::SharedSeriesKey& duration_key() {
  static const rules::SharedSeriesKey key = field_key("duration");
  return key;
}

}  // namespace

PollFrame::PollFrame(const ProbeConfig& config, std::size_t instance, const Clock& clock)
    : clock_(clock), name_(config.name), instance_(instance), down_on_(config.down_on) {}

rules::Poll PollFrame::finish(rules::Instant started, std::vector<rules::Reading> readings,
                              std::optional<rules::Fault> fault) const {
  rules::Poll poll;
  poll.probe = name_;
  poll.instance = instance_;
  poll.started = started;
  poll.ended = clock_.now();
  poll.up = rules::Up::up;
  poll.readings = std::move(readings);
  poll.readings.push_back({duration_key(), rules::seconds(poll.ended - started)});
  if (fault) {
    poll.up = rules::up_from(fault->kind, down_on_);
    fault->what.insert(0, "probe \"" + name_.text + "\": ");
    poll.fault = std::move(fault);
  }
  return poll;
}

rules::SharedSeriesKey field_key(const char* name) {
  return std::make_shared<const rules::SeriesKey>(rules::SeriesKey{name, {}});
}

}  // namespace probes
