#include "probes/parse/skipped_names.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include "probes/parse/line_end.hpp"
#include "probes/parse/newlines.hpp"
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

bool goes_on_after(std::string_view name, std::string_view line) {
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
  std::string_view name = names_[expected_];
  for (const char* block = at; static_cast<std::size_t>(end - block) >= newlines_size; block += newlines_size) {
    for (std::uint64_t found = newlines(block); found != 0; found &= found - 1) {
      const char* const newline = block + std::countr_zero(found);
      const std::string_view line(at, static_cast<std::size_t>(newline - at));
      if (!goes_on_after(name, line)) [[unlikely]] {
        if (!begin(line)) return passed;
        name = names_[expected_];
      }
      // A name and the character after it are two bytes at the least, so that the line has as many.
      if (line.size() > prometheus_line_max || !ends_with_digit(newline[-2], newline[-1])) [[unlikely]] {
        return passed;
      }
      at = newline + 1;
      passed = {at, passed.lines + 1};
    }
  }
  return passed;
}

}  // namespace probes
