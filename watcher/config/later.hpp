#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// Where a word stands that means something in the contract but not yet in this version.
enum class Vocabulary { driver, probe_type, notifier_type, service_key, step_key, command };

// Whether the word belongs to the contract but not to this version: refused, but not as an unknown name.
bool is_for_later(Vocabulary vocabulary, std::string_view word);

// All of them.
std::vector<std::string> words_for_later(Vocabulary vocabulary);

// What the finding says of it.
std::string not_in_this_version(std::string_view what, std::string_view word, const std::vector<std::string>& known);

}  // namespace watcher
