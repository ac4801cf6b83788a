#include "probes/parse/series_memory.hpp"

#include <utility>

#include "probes/parse/characters.hpp"

namespace probes {

namespace {

// Whether a bare name is all of the line's series: a blank follows it, and no labels.
bool is_whole_name(std::string_view line, std::size_t name_size) {
  std::size_t at = name_size;
  while (at < line.size() && is_blank(line[at])) ++at;
  return at > name_size && at < line.size() && line[at] != '{';
}

}  // namespace

void SeriesMemory::begin_page() {
  // Labels that change from page to page must not pile up.
  constexpr std::size_t absent_min = 64;  // texts; below that, tidying is not worth its time
  const bool many_absent = entries_.size() > 2 * order_.size() + absent_min;
  if (many_absent) forget_absent();
  ++page_;
  std::swap(expected_, order_);
  order_.clear();
  next_ = 0;
}

SeriesMemory::Sighting SeriesMemory::take_expected(std::string_view line, std::size_t line_number) {
  if (next_ == expected_.size()) return {};
  Entry& entry = *expected_[next_];
  if (!line.starts_with(entry.text)) return {};
  if (entry.text.back() != '}' && !is_whole_name(line, entry.text.size())) return {};
  return note(entry, line_number);
}

SeriesMemory::Sighting SeriesMemory::take(std::string_view text, std::size_t line_number) {
  const auto found = entries_.find(text);
  if (found == entries_.end()) return {};
  Entry& entry = *found->second;
  // Something was added or left out before it: go on from where this text stood.
  if (entry.page + 1 == page_) next_ = entry.position;
  return note(entry, line_number);
}

SeriesMemory::Sighting SeriesMemory::learn(std::string_view text, rules::SeriesKey key, bool wanted,
                                           std::size_t line_number) {
  const auto [place, added] = series_.try_emplace(std::move(key));
  Series& series = place->second;
  if (added) {
    series.key = std::make_shared<const rules::SeriesKey>(place->first);
    series.wanted = wanted;
  }
  auto entry = std::make_unique<Entry>();
  entry->text = text;
  entry->series = &series;
  Entry& learnt = *entry;
  entries_.emplace(learnt.text, std::move(entry));
  return note(learnt, line_number);
}

SeriesMemory::Sighting SeriesMemory::note(Entry& entry, std::size_t line_number) {
  if (next_ < expected_.size() && expected_[next_] == &entry) ++next_;
  entry.page = page_;
  entry.position = order_.size();
  order_.push_back(&entry);
  Series& series = *entry.series;
  const bool repeated = series.page == page_;
  if (!repeated) {
    series.page = page_;
    series.line = line_number;
  }
  return {&series, entry.text.size(), repeated};
}

void SeriesMemory::forget_absent() {
  std::erase_if(entries_, [this](const auto& entry) { return entry.second->page != page_; });
  std::erase_if(series_, [this](const auto& series) { return series.second.page != page_; });
}

}  // namespace probes
