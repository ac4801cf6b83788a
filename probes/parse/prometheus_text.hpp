#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "probes/body_end.hpp"
#include "rules/base/fault.hpp"
#include "rules/base/poll.hpp"
#include "rules/base/series.hpp"
#include "rules/signals/selector.hpp"

namespace probes {

// What a page may make us hold.
inline constexpr std::size_t prometheus_line_max = 64 * 1024;  // bytes; longer than any label set that is meant
inline constexpr std::size_t prometheus_labels_max = 64;       // labels of one series; Prometheus' users limit to 30
inline constexpr std::size_t prometheus_series_max = 50'000;   // series of wanted names in one page

// Reads pages of the Prometheus text format (and OpenMetrics, which is close enough) as they come in, keeps
// the series that a selector wants and skips the rest. One parser serves one target, page after page: it
// remembers the series of the last page, so that a page like the last one costs no allocation for its lines.
//
// Of a line with a wanted name everything is checked, and a mistake in it makes the page malformed. Of another line
// only this is: it begins with a legal first character of a name, ends with a character that a number ends with, and is
// not longer than prometheus_line_max. One that does not is passed over and counted: what nobody selects must not blind
// anybody. A page of which no line at all can be read is malformed: it is something else. So is one whose last line
// lacks its end and cannot be read: it was cut off, and series that are wanted may be missing. Timestamps and exemplars
// are passed over: a reading's time is that of its poll. CRLF ends a line as LF does; the last line may lack its end; a
// byte-order mark may come first. Numbers are those that Prometheus takes: no hexadecimal, no underscores.
class PrometheusText {
 public:
  // `process_start_time_seconds` is kept besides, whether wanted or not.
  explicit PrometheusText(std::vector<rules::Selector> keep);
  ~PrometheusText();
  PrometheusText(PrometheusText&&) noexcept;
  PrometheusText& operator=(PrometheusText&&) noexcept;

  // A new page begins; what an unfinished one left is dropped.
  void begin();
  // The next piece of the page; lines may straddle pieces. False: the page is malformed, more need not be
  // read.
  bool push(std::string_view piece);
  // The page has ended. Its first mistake as FaultKind::parse with the number of the line, if there was one. Where only
  // the end of the connection says that it is over, it may have been cut off, and a series that is missing would count
  // as 0: then it has to end with a line's end, or `# EOF`, and with no fewer readings than the page before; fewer are
  // believed when the next page has as many.
  std::optional<rules::Fault> finish(BodyEnd end = BodyEnd::said);
  // About how many bytes of memory it holds: of the page so far, and of the page before.
  std::size_t held() const;
  // There is no room for what it holds: the page is given up with this fault, and nothing is remembered.
  void give_up(rules::Fault fault);
  // The lines that were passed over, after finish().
  rules::Unread unread() const;
  // The page's readings in the order of the page, after finish(); empty after a fault.
  std::vector<rules::Reading> take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace probes
