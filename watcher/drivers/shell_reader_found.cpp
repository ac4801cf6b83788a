#include <algorithm>
#include <array>
#include <string_view>

#include "watcher/drivers/command_words.hpp"
#include "watcher/drivers/shell_reader.hpp"

// Which of the words that begin a command are programs that have to be there.

namespace watcher {

namespace {

using std::string_view;

constexpr std::array<string_view, 58> of_the_shell{
    "fi",     "done",    "}",      "for",     "in",       "[",        "[[",      "]]",     ".",     ":",
    "alias",  "bg",      "break",  "cd",      "continue", "declare",  "echo",    "eval",   "exit",  "export",
    "false",  "fc",      "fg",     "getopts", "hash",     "jobs",     "kill",    "let",    "local", "mapfile",
    "popd",   "printf",  "pushd",  "pwd",     "read",     "readonly", "return",  "set",    "shift", "shopt",
    "source", "test",    "times",  "trap",    "true",     "type",     "typeset", "ulimit", "umask", "unset",
    "wait",   "builtin", "disown", "enable",  "logout",   "suspend",  "esac",    "select"};

bool is_of_the_shell(string_view word) {
  return std::find(of_the_shell.begin(), of_the_shell.end(), word) != of_the_shell.end();
}

string_view base_name(string_view program) { return program.substr(program.rfind('/') + 1); }

bool is_path(const std::string& name) { return name.find('/') != std::string::npos; }

}  // namespace

// Whether it is one, and is found.
bool ShellReader::find(const std::string& name) {
  if (name.empty() || name.front() == '-' || is_of_the_shell(name)) return false;
  if (guards_list_ || guarding_ifs_ > 0 || (has_sourced_ && !is_path(name))) return false;
  found_.push_back(name);
  return true;
}

// `sudo -u deploy timeout 5 tool`
void ShellReader::follow(std::span<const std::string> words) {
  if (base_name(words.front()) == "find") return follow_found(words);
  for (RunsNext next = runs_next(words); next.what == RunsNext::What::command; next = runs_next(next.words)) {
    if (!find(next.words.front())) return;
  }
}

// find -exec COMMAND ;
void ShellReader::follow_found(std::span<const std::string> words) {
  constexpr std::array<string_view, 4> options{"-exec", "-execdir", "-ok", "-okdir"};
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    const bool is_run = std::find(options.begin(), options.end(), words[i]) != options.end();
    if (is_run && find(words[i + 1])) follow(words.subspan(i + 1));
  }
}

// A word that is a script itself: eval "X", trap 'X' EXIT, sh -c 'X', su -c 'X' USER.
void ShellReader::follow_text(std::span<const std::string> words) {
  constexpr std::array<string_view, 6> takes_script{"sh", "bash", "dash", "ksh", "su", "runuser"};
  const string_view name = base_name(words.front());
  if (name == "eval") {
    std::string joined;
    for (const std::string& word : words.subspan(1)) {
      if (word.empty()) return;
      joined += word + " ";
    }
    return read_inside(joined);
  }
  if (name == "trap") {
    const std::size_t at = words.size() > 1 && words[1] == "--" ? 2 : 1;
    return at + 1 < words.size() && words[at] != "-" ? read_inside(words[at]) : void();
  }
  if (std::find(takes_script.begin(), takes_script.end(), name) == takes_script.end()) return;
  const auto is_option = [](const std::string& word) {
    const bool is_short = word.size() > 1 && word[0] == '-' && word[1] != '-' && word.back() == 'c';
    return is_short || word == "--command";
  };
  const auto option = std::find_if(words.begin() + 1, words.end(), is_option);
  if (option != words.end() && option + 1 != words.end()) read_inside(*(option + 1));
}

// What is there is only asked for where it is run: as another user, or with another PATH, nobody knows here.
void ShellReader::read_inside(const std::string& script) {
  if (depth_ == 0 || guards_list_ || guarding_ifs_ > 0 || script.find("PATH=") != std::string::npos) return;
  ShellReader inside(script, depth_ - 1);
  inside.has_sourced_ = has_sourced_;
  const std::optional<std::vector<std::string>> found = inside.run();
  if (!found) return;
  // Behind what stands there already, of which the newest is the command that is being read.
  found_.insert(found_.begin(), found->begin(), found->end());
}

// What is read into the script may be functions, also those that functions before it call, and another PATH.
void ShellReader::source() {
  has_sourced_ = true;
  if (functions_.empty()) return;
  std::erase_if(found_, [](const std::string& name) { return !is_path(name); });
  last_ = false;
}

// What stands before `||`, unless nothing is done instead.
void ShellReader::reckon_with_absence() {
  if (gives_up_next()) return;
  may_fail_ = true;
  if (!last_ || found_.empty()) return;
  found_.pop_back();
  last_ = false;
}

// After `||`: nothing else is done instead of what failed, or was not there.
bool ShellReader::gives_up_next() const {
  constexpr std::array<string_view, 4> ends{"exit", "return", "false", "{"};
  const std::size_t next = script_.find_first_not_of(" \t\n", at_ + 2);
  return next != string_view::npos &&
         std::any_of(ends.begin(), ends.end(), [&](string_view end) { return script_.substr(next).starts_with(end); });
}

// `command -v tool`: whoever asks reckons with its absence, and what runs only if it is there, in the rest of the list
// or of the `if`, need not be there either.
void ShellReader::guard(const std::vector<std::string>& words) {
  constexpr std::array<string_view, 5> questions{"-v", "-V", "type", "which", "hash"};
  if (std::find(questions.begin(), questions.end(), words.front()) == questions.end()) return;
  bool is_question = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i].starts_with('-')) continue;
    asked_for_.insert(words[i]);
    is_question = true;
  }
  if (!is_question) return;
  guards_list_ = true;
  if (is_condition_ && guarding_ifs_ == 0) guarding_ifs_ = ifs_;
}

void ShellReader::count_conditions(const std::string& word) {
  if (word == "if") ++ifs_;
  if (word == "if" || word == "elif") is_condition_ = true;
  if (word == "then") is_condition_ = false;
  if (word == "fi" && ifs_ > 0) --ifs_;
  if (ifs_ < guarding_ifs_) guarding_ifs_ = 0;
}

}  // namespace watcher
