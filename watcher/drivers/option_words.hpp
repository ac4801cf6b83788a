#pragma once

#include <cstddef>
#include <initializer_list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// Of options whose value is the next word.
using OptionNames = std::set<std::string_view>;

// The words behind a program, options apart.
struct OptionWords {
  std::vector<std::string> words{};             // no options
  std::map<std::string, std::string> values{};  // of options that have one; of several the last
  std::set<std::string> flags{};                // all other options

  // Empty: there are not so many.
  std::string word(std::size_t at) const { return at < words.size() ? words[at] : std::string(); }
  // The first that is there of the names that an option has; empty: none.
  std::string value(std::initializer_list<const char*> names) const;
};
OptionWords option_words(std::span<const std::string> words, const OptionNames& valued);

// Options, a word, and what belongs to that: `docker -H X stop -t 5 NAME`.
struct OptionVerb {
  OptionWords before{};
  std::string name{};
  OptionWords behind{};
};
OptionVerb option_verb(std::span<const std::string> words, const OptionNames& valued_before,
                       const OptionNames& valued_behind);

}  // namespace watcher
