#include "probes/parse/skipped_names.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "probes/parse/line_end.hpp"
#include "probes/parse/prometheus_text.hpp"

namespace probes {

namespace {

std::uint64_t word_at(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// What memcmp() does, without a call: there is one of these for each line of a page.
bool equal(const char* a, const char* b, std::size_t size) {
  constexpr std::size_t word = sizeof(std::uint64_t);
  if (size < word) return std::memcmp(a, b, size) == 0;
  for (std::size_t at = 0; at + word < size; at += word) {
    if (word_at(a + at) != word_at(b + at)) return false;
  }
  return word_at(a + size - word) == word_at(b + size - word);
}

bool goes_on_after(const std::string& name, std::string_view line) {
  return !name.empty() && line.size() > name.size() && equal(line.data(), name.data(), name.size());
}

}  // namespace

void SkippedNames::add(std::string_view text) {
  expected_ = (expected_ + 1) % names_.size();
  names_.at(expected_) = text;
}

bool SkippedNames::begin(std::string_view line) {
  for (std::size_t tried = 0; tried < names_.size(); ++tried) {
    const std::size_t which = (expected_ + tried) % names_.size();
    if (!goes_on_after(names_.at(which), line)) continue;
    expected_ = which;
    return true;
  }
  return false;
}

SkippedNames::Passed SkippedNames::pass(const char* at, const char* end) {
  Passed passed{at};
  for (;;) {
    const std::string_view left(at, std::min<std::size_t>(static_cast<std::size_t>(end - at), prometheus_line_max + 1));
    if (!begin(left)) return passed;
    const std::size_t name_size = names_.at(expected_).size();
    const auto* const newline = static_cast<const char*>(std::memchr(at + name_size, '\n', left.size() - name_size));
    // A name and the character after it are two bytes at the least, so the two before the line's end belong to it.
    if (newline == nullptr || newline == at + name_size || !ends_with_digit(newline[-2], newline[-1])) return passed;
    at = newline + 1;
    passed = {at, passed.lines + 1};
  }
}

}  // namespace probes
