#pragma once

#include <bitset>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/series.hpp"
#include "rules/signals/selector.hpp"

namespace probes {

// The selectors by name. Most names are wanted by none of them, and a table of a few bits says so.
class WantedNames {
 public:
  // `process_start_time_seconds` is wanted besides.
  explicit WantedNames(std::vector<rules::Selector> keep);

  // Whether the text names one of them anywhere: where a line cannot be read, it might be meant.
  bool is_named_in(std::string_view text) const;
  // The same right behind a number that the text begins with: where a line's end was lost, another line begins there.
  bool is_named_after_number(std::string_view text) const;
  // Whether one of them stands in the text right behind another character that is no blank, and `holds` of what goes on
  // with it.
  bool is_glued_in(std::string_view text, bool (*holds)(std::string_view)) const;
  // Whether anybody may want a series of the name.
  bool may_want(std::string_view name) const;
  bool wants(const rules::SeriesKey& key) const;

 private:
  using Selectors = std::vector<rules::Selector>;
  const Selectors* find(std::string_view name) const;

  static constexpr std::size_t slots = 512;
  std::bitset<slots> possible_;
  std::map<std::string, Selectors, std::less<>> selectors_;
  Selectors patterns_;  // of names
};

}  // namespace probes
