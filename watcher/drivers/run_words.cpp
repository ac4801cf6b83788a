#include "watcher/drivers/run_words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>

#include "watcher/drivers/beginning_of.hpp"
#include "watcher/drivers/run_options.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

using std::string_view;
using Kind = RunProgram::Kind;
using Words = std::span<const std::string>;

std::string in_dir(const std::string& path, const std::string& dir) {
  return path.starts_with('/') ? path : (std::filesystem::path(dir) / path).lexically_normal().string();
}

std::optional<std::string> program_called(const std::string& word, const std::string& dir,
                                          const std::optional<std::string>& path) {
  if (word.find('/') != std::string::npos) return find_command(in_dir(word, dir));
  if (!path) return find_command(word);
  for (std::size_t at = 0; at <= path->size();) {
    const std::size_t end = std::min(path->find(':', at), path->size());
    const std::string folder = in_dir(path->substr(at, end - at), dir);
    if (auto found = find_command((folder.find('/') == std::string::npos ? "./" + folder : folder) + "/" + word))
      return found;
    at = end + 1;
  }
  return std::nullopt;
}

std::string user_called(string_view word) {
  word = word.substr(0, word.find(':'));
  if (word.starts_with('#')) word.remove_prefix(1);
  const bool is_number = !word.empty() && word.find_first_not_of("0123456789") == word.npos && word.size() < 10;
  return is_number ? account_of(static_cast<unsigned>(std::stoul(std::string(word)))) : std::string(word);
}

std::vector<std::string> interpreter_line(const std::string& file) {
  constexpr string_view blanks = " \t";
  std::string line = beginning_of(file).value_or(std::string());
  if (!line.starts_with("#!")) return {};
  line.resize(std::min(line.find('\n'), line.size()));
  const std::size_t begin = line.find_first_not_of(blanks, 2);
  if (begin == line.npos) return {};
  const std::size_t end = std::min(line.find_first_of(blanks, begin), line.size());
  std::vector<std::string> out{line.substr(begin, end - begin)};
  const std::size_t rest = line.find_first_not_of(blanks, end);
  if (rest != line.npos) out.push_back(line.substr(rest, line.find_last_not_of(" \t\r") + 1 - rest));
  return out;
}

bool reads_its_input(Words words) {
  const RunProgram* const known = run_program(words.front());
  if (known == nullptr) return false;
  if (known->kind == Kind::client) return true;
  if (known->kind != Kind::shell && known->kind != Kind::interpreter) return false;
  const CommandOptions options = options_of(*known, words);
  const Words before = words.first(std::min(options.behind, words.size()));
  const bool says_so =
      known->kind == Kind::shell && std::any_of(before.begin() + 1, before.end(), [](const auto& word) {
        return word.size() > 1 && word[0] == '-' && word[1] != '-' && word.find('s') != word.npos;
      });
  return !options.is_inline && (says_so || options.behind >= words.size());
}

Words behind_compose(Words words) {
  if (words.front().ends_with("-compose")) return words;
  for (std::size_t at = 1; at < words.size(); ++at) {
    if (words[at] == "compose") return words.subspan(at);
    const bool is_option = words[at].starts_with("-") || (at > 1 && words[at - 1].starts_with("-"));
    if (!is_option) return {};
  }
  return {};
}

std::vector<std::string> java_files(Words words) {
  constexpr std::array<string_view, 6> named{"-jar", "-cp", "-classpath", "--class-path", "-p", "--module-path"};
  std::vector<std::string> out;
  // `-javaagent:FILE=OPTIONS`, and lists of paths.
  const auto add = [&](string_view paths) {
    for (std::size_t at = 0; at <= paths.size();) {
      const std::size_t end = std::min(paths.find_first_of(":=,", at), paths.size());
      string_view path = paths.substr(at, end - at);
      if (path.ends_with("/*")) path.remove_suffix(2);
      if (!path.empty()) out.emplace_back(path);
      at = end + 1;
    }
  };
  for (std::size_t at = 1; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (std::find(named.begin(), named.end(), word) != named.end()) {
      if (at + 1 < words.size()) add(words[at + 1]);
      if (word == "-jar") break;
      ++at;
    } else if (word.starts_with('@')) {
      out.push_back(word.substr(1));
    } else if (word.starts_with("-javaagent:") || word.starts_with("-agentpath:") ||
               word.starts_with("-Xbootclasspath")) {
      add(string_view(word).substr(word.find(':') + 1));
    } else if (!word.starts_with('-')) {
      out.push_back(word);  // X.java
      break;                // arguments of the program follow
    }
  }
  return out;
}

bool assigns(string_view name) {
  constexpr std::array<string_view, 5> words{"export", "declare", "typeset", "readonly", "local"};
  return std::find(words.begin(), words.end(), name) != words.end();
}

}  // namespace watcher
