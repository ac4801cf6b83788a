#include "watcher/config/later.hpp"

#include <algorithm>
#include <array>

namespace watcher {

namespace {

struct Word {
  Vocabulary vocabulary;
  std::string_view word;
};

constexpr std::array<Word, 27> words{{
    {Vocabulary::driver, "compose"},
    {Vocabulary::driver, "kubernetes"},
    {Vocabulary::driver, "systemd"},
    {Vocabulary::driver, "pm2"},
    {Vocabulary::driver, "ci"},
    {Vocabulary::probe_type, "log"},
    {Vocabulary::probe_type, "promql"},
    {Vocabulary::probe_type, "container"},
    {Vocabulary::probe_type, "unit"},
    {Vocabulary::notifier_type, "discord"},
    {Vocabulary::notifier_type, "teams"},
    {Vocabulary::notifier_type, "email"},
    {Vocabulary::notifier_type, "pagerduty"},
    {Vocabulary::notifier_type, "alertmanager"},
    {Vocabulary::service_key, "keep"},
    {Vocabulary::service_key, "file"},
    {Vocabulary::service_key, "compose_service"},
    {Vocabulary::service_key, "deployment"},
    {Vocabulary::service_key, "namespace"},
    {Vocabulary::service_key, "unit"},
    {Vocabulary::service_key, "process"},
    {Vocabulary::step_key, "restore"},
    {Vocabulary::command, "test"},
    {Vocabulary::command, "replay"},
    {Vocabulary::command, "tune"},
    {Vocabulary::command, "drill"},
    {Vocabulary::command, "init"},
}};

}  // namespace

bool is_for_later(Vocabulary vocabulary, std::string_view word) {
  return std::any_of(words.begin(), words.end(),
                     [&](const Word& w) { return w.vocabulary == vocabulary && w.word == word; });
}

std::vector<std::string> words_for_later(Vocabulary vocabulary) {
  std::vector<std::string> out;
  for (const Word& word : words) {
    if (word.vocabulary == vocabulary) out.emplace_back(word.word);
  }
  return out;
}

std::string not_in_this_version(std::string_view what, std::string_view word, const std::vector<std::string>& known) {
  std::string out = std::string(what) + " \"" + std::string(word) + "\" is not in this version of rollbackd";
  if (known.empty()) return out + "; leave it out";
  out += "; it has ";
  for (std::size_t i = 0; i < known.size(); ++i) out += (i == 0 ? "" : ", ") + known[i];
  return out;
}

}  // namespace watcher
