#include "watcher/drivers/shell_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace watcher {

namespace {

using shell::ends_word;
using shell::is_blank;
using std::string_view;

template <std::size_t Size>
bool is_one_of(const std::array<string_view, Size>& words, string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// After these a command follows.
constexpr std::array<string_view, 13> before_command{"if", "then", "elif", "else",    "do",   "while", "until",
                                                     "!",  "{",    "exec", "command", "time", "-p"};  // time -p
constexpr std::array<string_view, 6> options_of_cd{"-P", "-L", "-e", "-Pe", "-@", "--"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_assignment(string_view word) {
  const std::size_t equals = word.find('=');
  return equals != string_view::npos && equals > 0 && !is_digit(word[0]) &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals), [](char c) {
           return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
         });
}

// Of an assignment in which something is only known when it runs, those parts of a list of paths that are known.
std::string known_of(string_view written) {
  const std::size_t equals = written.find('=');
  std::string out(written.substr(0, equals + 1));
  for (std::size_t at = equals + 1; at <= written.size();) {
    const std::size_t end = std::min(written.find_first_of(":\"'", at), written.size());
    const string_view part = written.substr(at, end - at);
    if (part.starts_with('/') && part.find_first_of("$`\\{}*?[~ ") == string_view::npos)
      out += (out.ends_with('=') ? "" : ":") + std::string(part);
    at = end + 1;
  }
  return out;
}

bool is_digits(const std::string& word) { return !word.empty() && std::all_of(word.begin(), word.end(), is_digit); }

}  // namespace

std::optional<std::vector<std::string>> ShellReader::run() {
  while (at_ < script_.size() && !given_up_) step();
  end_line();
  if (cases_ > 0 || !documents_.empty()) give_up();
  if (given_up_) return std::nullopt;
  std::erase_if(found_, [this](const auto& name) { return functions_.contains(name) || asked_for_.contains(name); });
  return std::move(found_);
}

std::vector<ShellCommand> ShellReader::lines() {
  std::erase_if(lines_, [this](const ShellCommand& line) { return functions_.contains(line.words.front()); });
  return std::move(lines_);
}

void ShellReader::step() {
  const char c = peek();
  if (is_blank(c)) {
    ++at_;
  } else if (begins("\\\n")) {
    at_ += 2;
  } else if (c == '#') {
    at_ = std::min(script_.find('\n', at_), script_.size());
  } else if (c == '<' || c == '>' || begins("&>")) {
    redirect();
  } else if (begins("||")) {
    reckon_with_absence();
    separate(2);
    guards_list_ = false;
  } else if (cases_ > 0 && (begins(";;") || begins(";&"))) {
    separate(begins(";;&") ? 3 : 2);
    pattern();
  } else if (c == '\n') {
    end_of_line();
  } else if (begins("&&")) {
    separate(2);
  } else if (c == ';' || c == '&' || c == '|') {
    separate(1);
    if (c != '|') guards_list_ = false;
  } else if (c == '(') {
    open_parenthesis();
  } else if (c == ')') {
    close_parenthesis();
  } else {
    const std::size_t begin = at_;
    Word next = word();
    if (!next.is_plain && is_assignment(next.text)) next.text = known_of(script_.substr(begin, at_ - begin));
    take(next);
  }
}

void ShellReader::end_of_line() {
  const bool goes_on = expects_command_;  // behind `&&`
  separate(1);
  if (!goes_on) guards_list_ = false;
  skip_documents();
  first_of_line_ = lines_.size();
}

void ShellReader::open_parenthesis() {
  const bool is_list = at_ > 0 && script_[at_ - 1] == '=';  // a=(b c)
  if (!is_list && !begins("((")) {
    outside_.push_back(dir_);
    return separate(1);
  }
  ++at_;
  const std::size_t end = closing();
  if (end == string_view::npos) return give_up();
  at_ = end + 1;
}

void ShellReader::close_parenthesis() {
  ++at_;
  end_line();
  expects_command_ = false;
  if (outside_.empty()) return;
  dir_ = outside_.back();
  outside_.pop_back();
}

void ShellReader::separate(std::size_t length) {
  at_ += length;
  end_line();
  expects_command_ = true;
  last_ = false;
}

void ShellReader::end_line() {
  if (!in_line_) return;
  in_line_ = false;
  const std::vector<std::string>& words = lines_.back().words;
  if (!std::exchange(may_fail_, false)) follow_text(words);
  if (last_) follow(words);
  if (words.front() == "." || words.front() == "source") source();
  guard(words);
  if (words.front() != "cd") return;
  std::size_t at = 1;
  while (at < words.size() && is_one_of(options_of_cd, words[at])) ++at;
  // Without a word it is known to lead home, with `-` back: neither is a place that a script starts from.
  const std::string to = at + 1 == words.size() ? words[at] : std::string();
  const bool is_led = !to.empty() && to.front() != '-' && to.front() != '~';
  if (!is_led || (!dir_ && to.front() != '/'))
    dir_.reset();
  else
    dir_ = to.front() == '/' ? to : *dir_ + (dir_->empty() ? "" : "/") + to;
}

void ShellReader::redirect() {
  if (begins("<(") || begins(">(")) {
    at_ += 2;
    return nested(closing(), 1);
  }
  if (begins("<<<")) return here_word();
  if (begins("<<")) return here_document();
  const std::size_t begin = at_;
  while (string_view("<>&|").find(peek()) != string_view::npos && at_ < script_.size()) ++at_;
  const bool is_input = script_.substr(begin, at_ - begin) == "<";
  while (is_blank(peek())) ++at_;
  if (at_ >= script_.size() || ends_word(peek())) return;
  const Word file = word();
  if (is_input && in_line_ && file.is_plain) lines_.back().input = file.text;
}

void ShellReader::take(const Word& word) {
  if (is_digits(word.text) && (peek() == '<' || peek() == '>')) return;
  if (expects_command_ && is_function(word.text)) return;
  if (expects_command_) return begin_command(word);
  if (!in_line_) return;
  lines_.back().words.push_back(word.is_plain || is_assignment(word.text) ? word.text : std::string());
  note_elsewhere(word);
}

// The first word, or what a shell reads: the words of any other command are only words.
void ShellReader::note_elsewhere(const Word& word) {
  constexpr std::array<string_view, 6> readers{".", "source", "sh", "bash", "sudo", "env"};
  ShellCommand& line = lines_.back();
  const std::size_t slash = word.text.rfind('/');
  const bool is_run = line.words.size() == 1 || is_one_of(readers, line.words.front());
  if (word.is_plain || slash == std::string::npos || slash + 1 == word.text.size() || !is_run) return;
  line.run_from_elsewhere.push_back(word.text.substr(slash + 1));
}

// name() or name ()
bool ShellReader::is_function(const std::string& name) {
  const std::size_t open = script_.find_first_not_of(" \t", at_);
  if (open == string_view::npos || script_[open] != '(') return false;
  const std::size_t close = script_.find_first_not_of(" \t", open + 1);
  if (close == string_view::npos || script_[close] != ')') return false;
  functions_.insert(name);
  at_ = close;
  separate(1);
  return true;
}

void ShellReader::begin_command(const Word& word) {
  if (word.is_plain && take_compound(word.text)) return;
  count_conditions(word.text);
  if (is_assignment(word.text)) return lines_.push_back({{"export", word.text}, dir_, {}});
  if (is_one_of(before_command, word.text)) return;
  expects_command_ = false;
  lines_.push_back({{word.is_plain ? word.text : std::string()}, dir_, {}});
  in_line_ = true;
  note_elsewhere(word);
  last_ = word.is_plain && find(word.text);
}

// What is read otherwise than word by word. False: it is not.
bool ShellReader::take_compound(const std::string& word) {
  if (word == "case") {
    begin_case();
  } else if (word == "[[") {
    skip_to("]]");
    expects_command_ = false;
  } else if (word == "function") {
    skip_space();
    const Word name = this->word();
    if (!is_function(name.text)) functions_.insert(name.text);
  } else if (word == "esac") {
    if (cases_-- == 0) give_up();
    return false;
  } else {
    return false;
  }
  return true;
}

void ShellReader::begin_case() {
  skip_space();
  word();
  skip_space();
  if (word().text != "in") return give_up();
  ++cases_;
  pattern();
}

// One of a `case`, up to the commands that it leads to; or the end of it.
void ShellReader::pattern() {
  skip_space();
  if (begins("(")) {
    ++at_;
  } else if (begins("esac")) {
    return;
  }
  while (!begins(")") && !given_up_) {
    const std::size_t before = at_;
    while (is_blank(peek()) || peek() == '|') ++at_;
    if (!begins(")") && !ends_word(peek())) word();
    if (at_ == before || at_ >= script_.size()) return give_up();
  }
  separate(1);
}

// With comments.
void ShellReader::skip_space() {
  while (at_ < script_.size()) {
    if (begins("\\\n")) {
      at_ += 2;
    } else if (peek() == '#') {
      at_ = std::min(script_.find('\n', at_), script_.size());
    } else if (is_blank(peek()) || peek() == '\n') {
      ++at_;
    } else {
      return;
    }
  }
}

}  // namespace watcher
