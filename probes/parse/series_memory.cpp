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
  constexpr std::size_t absent_bytes_min = 64 * 1024;
  const bool many_absent =
      entries_.size() > 2 * order_.size() + absent_min || bytes_ > 2 * bytes_seen_ + absent_bytes_min;
  if (many_absent) forget_absent();
  bytes_seen_ = 0;
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
  auto known = series_.find(&key);
  if (known == series_.end()) {
    Series series;
    series.key = std::make_shared<const rules::SeriesKey>(std::move(key));
    series.key_bytes = rules::bytes_of(*series.key);
    series.wanted = wanted;
    bytes_ += bytes_of(series);
    const rules::SeriesKey* const name = series.key.get();
    known = series_.emplace(name, std::move(series)).first;
  }
  Series& series = known->second;
  auto entry = std::make_unique<Entry>();
  entry->text = text;
  entry->series = &series;
  Entry& learnt = *entry;
  bytes_ += bytes_of(learnt);
  entries_.emplace(learnt.text, std::move(entry));
  return note(learnt, line_number);
}

SeriesMemory::Sighting SeriesMemory::note(Entry& entry, std::size_t line_number) {
  if (next_ < expected_.size() && expected_[next_] == &entry) ++next_;
  entry.page = page_;
  entry.position = order_.size();
  order_.push_back(&entry);
  Series& series = *entry.series;
  bytes_seen_ += bytes_of(entry) + bytes_of(series);
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
  bytes_ = 0;
  for (const auto& [text, entry] : entries_) bytes_ += bytes_of(*entry);
  for (const auto& [key, series] : series_) bytes_ += bytes_of(series);
}

std::size_t SeriesMemory::bytes_of(const Entry& entry) {
  constexpr std::size_t in_index =
      96;  // a node of entries_ and its bucket, and what the allocator adds to three blocks
  return sizeof(Entry) + entry.text.capacity() + in_index;
}

std::size_t SeriesMemory::bytes_of(const Series& series) {
  constexpr std::size_t in_index = 96;  // a node of series_ and the count of the shared key
  return sizeof(Series) + series.key_bytes + in_index;
}

std::size_t SeriesMemory::bytes() const { return bytes_ + (expected_.capacity() + order_.capacity()) * sizeof(void*); }

}  // namespace probes
