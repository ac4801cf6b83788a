#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rules/base/series.hpp"

namespace probes {

// Remembers which series a text spelled in the page before, and in which order they came: on a page like the
// last one each text is found by one comparison with the text that came next then.
class SeriesMemory {
 public:
  // One series, however it was spelled.
  struct Series {
    rules::SharedSeriesKey key;
    bool wanted = false;  // some selector wants it
    std::size_t key_bytes = 0;
    std::uint64_t page = 0;  // the last page that it stood in
    std::size_t line = 0;    // where it stood first in that page
  };
  struct Sighting {
    const Series* series = nullptr;  // nullptr: not seen before
    std::size_t text_size = 0;       // bytes of the line that spell it
    bool repeated = false;           // it stood in this page already
  };

  void begin_page();
  // Texts seen in this page.
  std::size_t seen() const { return order_.size(); }
  // About how many bytes of memory it keeps.
  std::size_t bytes() const;

  // If the line begins with the text that is expected next.
  Sighting take_expected(std::string_view line, std::size_t line_number);
  // If the text was seen before, in this page or an earlier one.
  Sighting take(std::string_view text, std::size_t line_number);
  // Learns a text that was not seen before.
  Sighting learn(std::string_view text, rules::SeriesKey key, bool wanted, std::size_t line_number);

 private:
  struct KeyLess {
    bool operator()(const rules::SeriesKey* a, const rules::SeriesKey* b) const { return *a < *b; }
  };
  struct Entry {
    std::string text;
    Series* series = nullptr;
    std::uint64_t page = 0;    // the last page that it stood in
    std::size_t position = 0;  // in the order of that page
  };

  Sighting note(Entry& entry, std::size_t line_number);
  void forget_absent();
  static std::size_t bytes_of(const Entry& entry);
  static std::size_t bytes_of(const Series& series);

  std::uint64_t page_ = 1;                                                // a series that stood in no page has 0
  std::unordered_map<std::string_view, std::unique_ptr<Entry>> entries_;  // keys point into the entries' texts
  std::map<const rules::SeriesKey*, Series, KeyLess> series_;             // by the keys that they hold
  std::vector<Entry*> expected_;                                          // the order of the page before
  std::vector<Entry*> order_;                                             // the order of this page
  std::size_t next_ = 0;                                                  // in expected_
  std::size_t bytes_ = 0;                                                 // of all entries and series
  std::size_t bytes_seen_ = 0;  // of those that were learnt in this page or stood in it
};

}  // namespace probes
