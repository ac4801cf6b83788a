#include "watcher/drivers/command_words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace watcher {

namespace {

using std::string_view;
using Words = std::span<const std::string>;
using What = RunsNext::What;

// The short options of a program, by letter. Whoever says another is not understood.
struct Letters {
  string_view alone;
  string_view with_argument;  // in the same word, or in the next
};

// A program that runs the command that follows its options and so many operands.
struct Runner {
  string_view name;
  Letters options;
  std::size_t operands = 0;
};
constexpr std::array<Runner, 15> runners{{{"env", {"i0v", "u"}},
                                          {"nice", {"", "n"}},
                                          {"nohup", {}},
                                          {"setsid", {"cfw", ""}},
                                          {"timeout", {"v", "ks"}, 1},
                                          {"ionice", {"t", "cn"}},
                                          {"stdbuf", {"", "ioe"}},
                                          {"chrt", {"bfiorRav", "TPD"}, 1},
                                          {"taskset", {"ac", ""}, 1},
                                          {"sudo", {"nEHSkb", "uhpCT"}},
                                          {"doas", {"n", "uC"}},
                                          {"flock", {"sxneuFo", "wE"}, 1},
                                          {"time", {"apv", "fo"}},
                                          {"xargs", {"0rtpxo", "IPnLsdEa"}},
                                          {"unbuffer", {"p", ""}}}};
// Without an argument, or with it behind a `=`.
constexpr std::array<string_view, 12> long_options{
    "--foreground",      "--preserve-status",    "--verbose",      "--fork",     "--wait", "--ctty",
    "--non-interactive", "--ignore-environment", "--preserve-env", "--set-home", "--null", "--no-run-if-empty"};

// A program that reads the script in its first operand. What a shell does not find so it looks for in PATH.
struct Interpreter {
  string_view name;  // also followed by a version, such as python3.11
  Letters options;
};
constexpr Letters of_shells{"aefhilmnpruvxBCEHPT", "oO"};
constexpr std::array<Interpreter, 12> interpreters{{{"sh", of_shells},
                                                    {"bash", of_shells},
                                                    {"dash", of_shells},
                                                    {"ksh", of_shells},
                                                    {"zsh", of_shells},
                                                    {"ash", of_shells},
                                                    {"python", {"bBdEIOqsSuvx", "WX"}},
                                                    {"perl", {"wWtT", "I"}},
                                                    {"ruby", {"wW", "I"}},
                                                    {"php", {}},
                                                    {"node", {}},
                                                    {"nodejs", {}}}};

string_view base_name(string_view program) { return program.substr(program.rfind('/') + 1); }

bool is_assignment(string_view word) {
  const std::size_t equals = word.find('=');
  return equals != string_view::npos && equals > 0 && word.front() != '-';
}

// One option, and its argument where that is the next word. False: it is not known.
bool read_option(Words words, std::size_t& at, const Letters& letters, std::string* user) {
  const string_view word = words[at];
  if (word.starts_with("--")) {
    const string_view name = word.substr(0, word.find('='));
    const bool known =
        name.size() < word.size() || std::find(long_options.begin(), long_options.end(), name) != long_options.end();
    ++at;
    return known;
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (letters.alone.find(word[i]) != string_view::npos) continue;
    if (letters.with_argument.find(word[i]) == string_view::npos) return false;
    const bool in_next = i + 1 == word.size();
    if (in_next && at + 1 == words.size()) return false;
    if (user != nullptr && word[i] == 'u') *user = in_next ? words[at + 1] : std::string(word.substr(i + 1));
    at += in_next ? 2 : 1;
    return true;
  }
  ++at;
  return true;
}

// Where the operands begin; nullopt: nobody knows here.
std::optional<std::size_t> behind_options(Words words, const Letters& letters, std::string* user) {
  std::size_t at = 1;
  while (at < words.size()) {
    const string_view word = words[at];
    if (word == "--") return at + 1;
    if (word.empty()) return std::nullopt;
    if (word.front() == '+') return std::nullopt;
    if (word.front() != '-') break;
    if (word == "-") return std::nullopt;  // standard input, or a login
    if (!read_option(words, at, letters, user)) return std::nullopt;
  }
  return at;
}

RunsNext unknown() {
  RunsNext next;
  next.what = What::unknown;
  return next;
}

RunsNext behind(const Runner& runner, Words words) {
  RunsNext next;
  next.changes_user = runner.name == "sudo" || runner.name == "doas";
  std::optional<std::size_t> at = behind_options(words, runner.options, next.changes_user ? &next.user : nullptr);
  if (!at) return unknown();
  // Instead of a user's name, its number.
  if (next.user.starts_with('#')) return unknown();
  const bool takes_assignments = runner.name == "env" || next.changes_user;
  for (; takes_assignments && *at < words.size() && is_assignment(words[*at]); ++*at) {
    if (words[*at].starts_with("PATH=")) next.sets_path = true;
  }
  *at += runner.operands;
  if (*at >= words.size()) return unknown();
  if (words[*at].empty() || words[*at].front() == '-') return unknown();
  next.what = What::command;
  next.words = words.subspan(*at);
  return next;
}

const Interpreter* interpreter_called(string_view name) {
  const auto found = std::find_if(interpreters.begin(), interpreters.end(), [&](const Interpreter& one) {
    return name.starts_with(one.name) && name.find_first_not_of("0123456789.", one.name.size()) == string_view::npos;
  });
  return found == interpreters.end() ? nullptr : &*found;
}

}  // namespace

RunsNext runs_next(std::span<const std::string> argv) {
  const string_view name = base_name(argv.front());
  const auto runner = std::find_if(runners.begin(), runners.end(), [&](const Runner& one) { return one.name == name; });
  if (runner != runners.end()) return behind(*runner, argv);
  RunsNext next;
  const Interpreter* const interpreter = interpreter_called(name);
  if (interpreter == nullptr) return next;
  const std::optional<std::size_t> at = behind_options(argv, interpreter->options, nullptr);
  if (!at || *at >= argv.size()) return unknown();
  // It finds `app` as app.js, or as a folder.
  if (interpreter->name.starts_with("node") && !argv[*at].ends_with("js")) return unknown();
  next.what = What::script;
  next.words = argv.subspan(*at);
  return next;
}

}  // namespace watcher
