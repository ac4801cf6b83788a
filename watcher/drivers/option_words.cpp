#include "watcher/drivers/option_words.hpp"

#include <algorithm>

namespace watcher {

std::string OptionWords::value(std::initializer_list<const char*> names) const {
  for (const char* const name : names) {
    if (const auto found = values.find(name); found != values.end()) return found->second;
  }
  return {};
}

OptionWords option_words(std::span<const std::string> words, const OptionNames& valued) {
  OptionWords out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const std::size_t equals = word.find('=');
    if (!word.starts_with('-') || word == "-") {
      out.words.push_back(word);
    } else if (word.starts_with("--") && equals != word.npos) {
      out.values[word.substr(0, equals)] = word.substr(equals + 1);
    } else if (valued.contains(word)) {
      if (i + 1 < words.size()) out.values[word] = words[i + 1];
      ++i;
    } else if (word.size() > 2 && word[1] != '-' && valued.contains(std::string_view(word).substr(0, 2))) {
      out.values[word.substr(0, 2)] = word.substr(2);
    } else {
      out.flags.insert(word);
    }
  }
  return out;
}

OptionVerb option_verb(std::span<const std::string> words, const OptionNames& valued_before,
                       const OptionNames& valued_behind) {
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with("-")) at += valued_before.contains(words[at]) ? 2U : 1U;
  at = std::min(at, words.size());
  OptionVerb out;
  out.before = option_words(words.first(at), valued_before);
  if (at == words.size()) return out;
  out.name = words[at];
  out.behind = option_words(words.subspan(at + 1), valued_behind);
  return out;
}

}  // namespace watcher
