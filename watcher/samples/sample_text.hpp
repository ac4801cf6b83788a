#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/poll.hpp"

namespace watcher {

// Polls as OpenMetrics text with timestamps, which `promtool tsdb create-blocks-from openmetrics` takes, and back.
// Each poll is a line rollbackd_poll{...} with its `up` (NaN when unknown), followed by a line a reading; probe and
// instance are labels of all of them.

class SampleText {
 public:
  // Appends the poll's lines.
  void append(const rules::Poll& poll);
  // Hands over what was appended, and is empty then.
  std::string take();
  bool empty() const { return text_.empty(); }
  std::size_t size() const { return text_.size(); }  // bytes

 private:
  void write_ends(const rules::Poll& poll);
  void append_line(const rules::SeriesKey& key, double value);

  std::string text_;
  // What all lines of the poll end with, written once a poll.
  std::string labels_;         // keeps its memory from poll to poll
  std::array<char, 64> time_;  // room for two numbers
  std::size_t time_size_ = 0;
};

// Reads what SampleText wrote. Lines that are not whole or not ours are skipped: a crash may have cut the last one.
std::vector<rules::Poll> read_samples(std::string_view text);

}  // namespace watcher
