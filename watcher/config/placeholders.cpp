#include "watcher/config/placeholders.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

namespace watcher {

namespace {

constexpr std::array<std::string_view, 2> known{"to", "from"};
// What people write who think of another tool.
constexpr std::array<std::string_view, 7> strange{"service", "revision", "version", "target",
                                                  "tag",     "commit",   "release"};

bool is_among(const auto& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// "to" of " TO ".
std::string meant_by(std::string_view inside) {
  const std::size_t begin = inside.find_first_not_of(' ');
  if (begin == std::string_view::npos) return "";
  std::string out(inside.substr(begin, inside.find_last_not_of(' ') - begin + 1));
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

struct Written {
  std::string_view inside;  // the braces
  bool is_of_another;       // ${x} of a shell, %{x} of a format, {{x}} of a template
};

std::vector<Written> placeholders_in(std::string_view word) {
  std::vector<Written> out;
  for (std::size_t at = word.find('{'); at != std::string_view::npos; at = word.find('{', at + 1)) {
    const std::size_t end = word.find_first_of("{}", at + 1);
    if (end == std::string_view::npos) break;
    if (word[end] == '{') continue;
    const bool is_of_another = at > 0 && std::string_view("$%{").find(word[at - 1]) != std::string_view::npos;
    out.push_back({word.substr(at + 1, end - at - 1), is_of_another});
  }
  return out;
}

bool is_asked_before(const std::string& owner) { return owner.ends_with(".identify") || owner.ends_with(".schema"); }

void check_word(Loading& loading, const PlacedCommand& command, const std::string& word) {
  for (const Written& written : placeholders_in(word)) {
    const std::string meant = meant_by(written.inside);
    const std::string shown = command.owner + ": has {" + std::string(written.inside) + "}";
    if (written.is_of_another) continue;
    if (is_among(known, meant) && written.inside != meant) {
      loading.findings.error(command.place, shown + ", for which nothing is filled in; write {" + meant + "}");
    } else if (is_among(known, meant) && is_asked_before(command.owner)) {
      loading.findings.error(command.place, shown + ", which is known only to a switch; it prints what runs now");
    } else if (is_among(strange, meant)) {
      loading.findings.warning(command.place, shown +
                                                  ", for which nothing is filled in; {to} is the revision that is "
                                                  "switched to, {from} what runs");
    }
  }
}

bool names_revision(std::string_view word) {
  const std::vector<Written> written = placeholders_in(word);
  return std::any_of(written.begin(), written.end(),
                     [](const Written& one) { return !one.is_of_another && is_among(known, meant_by(one.inside)); });
}

}  // namespace

void check_placeholders(Loading& loading) {
  for (const PlacedCommand& command : loading.commands) {
    if (names_revision(command.argv.front())) {
      loading.findings.error(command.place,
                             command.owner +
                                 ": the first element is the command alone, and has no {to} or {from} filled in; write "
                                 "each argument as an element of its own, such as [\"./rollback.sh\", \"{to}\"]");
      continue;
    }
    for (const std::string& word : command.argv) check_word(loading, command, word);
  }
}

}  // namespace watcher
