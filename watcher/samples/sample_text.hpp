#pragma once

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/base/poll.hpp"

namespace watcher {

// Polls as OpenMetrics text with timestamps, which `promtool tsdb create-blocks-from openmetrics` takes, and back.
// Each poll is a line rollbackd_poll{...} with its `up` (NaN when unknown), followed by a line a reading; probe and
// instance are labels of all of them.

class SampleText {
 public:
  // Appends the poll's lines, unless it is more than `most` bytes then: such a poll is not recorded.
  void append(const rules::Poll& poll, std::size_t most = std::string::npos);
  // Hands over what was appended, and is empty then.
  std::string take();
  bool empty() const { return text_.empty(); }
  std::size_t size() const { return text_.size(); }  // bytes

 private:
  void write_ends(const rules::Poll& poll);
  char* put_rest(char* at, double value) const;
  void append_line(const rules::SeriesKey& key, double value);

  std::string text_;
  // What all lines of the poll end with, written once a poll.
  std::string labels_;         // keeps its memory from poll to poll
  std::array<char, 64> time_;  // room for two numbers
  std::size_t time_size_ = 0;
};

// Reads what SampleText wrote, line after line. Lines that are not ours are passed over.
class SampleReader {
 public:
  // Polls that ended at `from` or later are kept, of the probes that are wanted; without any, of all.
  SampleReader(rules::Instant from, std::size_t most, std::set<rules::ProbeName> wanted = {})
      : from_(from), most_(most), wanted_(std::move(wanted)) {}
  // False: what it keeps takes more than `most` bytes of memory by now, and is given up.
  bool push(std::string_view line);
  // The polls, none when they were given up.
  std::vector<rules::Poll> take();

 private:
  struct KeyLess {
    bool operator()(const rules::SharedSeriesKey& a, const rules::SharedSeriesKey& b) const { return *a < *b; }
  };

  rules::Instant from_;
  std::size_t most_;
  std::set<rules::ProbeName> wanted_;
  std::size_t bytes_ = 0;
  bool is_passing_over_ = true;  // readings of a poll that is not kept
  std::vector<rules::Poll> polls_;
  std::set<rules::SharedSeriesKey, KeyLess> keys_;  // the same series comes again with each poll
};

// Reads what SampleText wrote. Lines that are not whole or not ours are skipped: a crash may have cut the last one.
std::vector<rules::Poll> read_samples(std::string_view text);

}  // namespace watcher
