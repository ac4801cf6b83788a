#include "watcher/drivers/shell_commands.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace watcher {

namespace {

using std::string_view;

template <std::size_t Size>
bool is_one_of(const std::array<string_view, Size>& words, string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// After these a command follows.
constexpr std::array<string_view, 11> before_command{"if",    "then", "elif", "else", "do",     "while",
                                                     "until", "!",    "{",    "exec", "command"};
constexpr std::array<string_view, 57> of_the_shell{
    "fi",      "done",   "}",       "for",    "in",      "time",     "[",        "[[",      "]]",     ".",
    ":",       "alias",  "bg",      "break",  "cd",      "continue", "declare",  "echo",    "eval",   "exit",
    "export",  "false",  "fc",      "fg",     "getopts", "hash",     "jobs",     "kill",    "let",    "local",
    "mapfile", "popd",   "printf",  "pushd",  "pwd",     "read",     "readonly", "return",  "set",    "shift",
    "shopt",   "source", "test",    "times",  "trap",    "true",     "type",     "typeset", "ulimit", "umask",
    "unset",   "wait",   "builtin", "disown", "enable",  "logout",   "suspend"};
constexpr std::array<string_view, 4> beyond_us{"case", "esac", "function", "select"};
// What asks whether there is a command.
constexpr std::array<string_view, 5> questions{"command -v ", "command -V ", "type ", "which ", "hash "};

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool ends_word(char c) { return is_blank(c) || string_view("\n;&|()<>").find(c) != string_view::npos; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_assignment(string_view word) {
  const std::size_t equals = word.find('=');
  return equals != string_view::npos && equals > 0 && !is_digit(word[0]) &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals), [](char c) {
           return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
         });
}

class Reader {
 public:
  explicit Reader(string_view script) : script_(script) {}

  // nullopt: it is more than can be read here.
  std::optional<std::vector<std::string>> run() {
    while (at_ < script_.size() && !given_up_) step();
    if (given_up_) return std::nullopt;
    std::erase_if(found_, [this](const std::string& name) { return functions_.contains(name); });
    return std::move(found_);
  }

  // What was read by run(), also when it gave up.
  std::vector<ShellCommand> lines() {
    std::erase_if(lines_, [this](const ShellCommand& line) { return functions_.contains(line.words.front()); });
    return std::move(lines_);
  }

 private:
  struct Word {
    std::string text;
    bool is_plain = true;  // it is what is written
  };

  char peek(std::size_t ahead = 0) const { return at_ + ahead < script_.size() ? script_[at_ + ahead] : '\0'; }
  bool begins(string_view text) const { return at_ < script_.size() && script_.substr(at_).starts_with(text); }

  void step() {
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
      if (last_ && !found_.empty() && !gives_up_next()) found_.pop_back();
      separate(2);
    } else if (c == '\n' || c == ';' || c == '&' || c == '|' || c == '(') {
      if (c == '(') outside_.push_back(dir_);
      separate(1);
    } else if (c == ')') {
      ++at_;
      end_line();
      expects_command_ = false;
      if (outside_.empty()) return;
      dir_ = outside_.back();
      outside_.pop_back();
    } else {
      take(word());
    }
  }

  // After `||`: nothing else is done instead of what failed, or was not there.
  bool gives_up_next() const {
    constexpr std::array<string_view, 4> ends{"exit", "return", "false", "{"};
    const std::size_t next = script_.find_first_not_of(" \t\n", at_ + 2);
    return next != string_view::npos && std::any_of(ends.begin(), ends.end(), [&](string_view end) {
             return script_.substr(next).starts_with(end);
           });
  }

  void separate(std::size_t length) {
    at_ += length;
    end_line();
    expects_command_ = true;
    last_ = false;
  }

  void end_line() {
    if (!in_line_) return;
    in_line_ = false;
    const std::vector<std::string>& words = lines_.back().words;
    if (words.front() != "cd") return;
    // Without a word it is known to lead home, with `-` back: neither is a place that a script starts from.
    const bool is_led = words.size() == 2 && !words[1].empty() && words[1].front() != '-' && words[1].front() != '~';
    if (!is_led || (!dir_ && words[1].front() != '/'))
      dir_.reset();
    else
      dir_ = words[1].front() == '/' ? words[1] : *dir_ + (dir_->empty() ? "" : "/") + words[1];
  }

  void redirect() {
    if (begins("<<") || begins("<(") || begins(">(")) return give_up();
    const std::size_t begin = at_;
    while (string_view("<>&|").find(peek()) != string_view::npos && at_ < script_.size()) ++at_;
    const bool is_input = script_.substr(begin, at_ - begin) == "<";
    while (is_blank(peek())) ++at_;
    if (at_ >= script_.size() || ends_word(peek())) return;
    const Word file = word();
    if (is_input && in_line_ && file.is_plain) lines_.back().input = file.text;
  }

  void take(const Word& word) {
    if (is_digits(word) && (peek() == '<' || peek() == '>')) return;
    if (begins("()")) {
      functions_.insert(word.text);
      return separate(2);
    }
    if (!expects_command_) {
      if (in_line_) lines_.back().words.push_back(word.is_plain ? word.text : std::string());
      return;
    }
    if (is_one_of(beyond_us, word.text)) return give_up();
    if (is_assignment(word.text) || is_one_of(before_command, word.text)) return;
    expects_command_ = false;
    lines_.push_back({{word.is_plain ? word.text : std::string()}, dir_, {}});
    in_line_ = true;
    if (!word.is_plain || word.text.empty() || word.text.front() == '-' || is_one_of(of_the_shell, word.text)) return;
    found_.push_back(word.text);
    last_ = true;
  }

  static bool is_digits(const Word& word) {
    return !word.text.empty() && std::all_of(word.text.begin(), word.text.end(), is_digit);
  }

  Word word() {
    Word out;
    while (at_ < script_.size() && !ends_word(peek()) && !given_up_) {
      const char c = script_[at_++];
      if (c == '\'') {
        single_quoted(out);
      } else if (c == '"') {
        double_quoted(out);
      } else if (c == '\\') {
        out.is_plain = false;
        ++at_;
      } else {
        unquoted(c, out);
      }
    }
    return out;
  }

  void single_quoted(Word& out) {
    const std::size_t end = script_.find('\'', at_);
    if (end == string_view::npos) return give_up();
    out.text += script_.substr(at_, end - at_);
    at_ = end + 1;
  }

  void double_quoted(Word& out) {
    while (peek() != '"' && !given_up_) {
      if (at_ >= script_.size()) return give_up();
      const char c = script_[at_++];
      if (c == '\\') ++at_;
      if (c == '$' || c == '`' || c == '\\')
        expansion(c, out);
      else
        out.text += c;
    }
    ++at_;
  }

  void unquoted(char c, Word& out) {
    if (c == '$' || c == '`') return expansion(c, out);
    const bool is_pattern = string_view("*?[~").find(c) != string_view::npos && out.text + c != "[";
    const bool is_brace = c == '{' && !(out.text.empty() && (is_blank(peek()) || peek() == '\n'));
    if (is_pattern || is_brace) out.is_plain = false;
    out.text += c;
  }

  void expansion(char c, Word& out) {
    out.is_plain = false;
    if (c == '`') return nested(script_.find('`', at_), 1);
    if (c != '$') return;
    if (begins("((")) return nested_nothing("))");
    if (begins("{")) return nested_nothing("}");
    if (!begins("(")) return;
    ++at_;
    nested(closing(), 1);
  }

  void nested_nothing(string_view end) {
    const std::size_t found = script_.find(end, at_);
    if (found == string_view::npos) return give_up();
    at_ = found + end.size();
  }

  // The parenthesis that ends what begins here.
  std::size_t closing() const {
    int depth = 1;
    for (std::size_t i = at_; i < script_.size(); ++i) {
      const char c = script_[i];
      if (c == '\\') ++i;
      if (c == '\'') i = std::min(script_.find('\'', i + 1), script_.size());
      if (c == '(') ++depth;
      if (c == ')' && --depth == 0) return i;
    }
    return string_view::npos;
  }

  void nested(std::size_t end, std::size_t length) {
    if (end == string_view::npos) return give_up();
    Reader reader(script_.substr(at_, end - at_));
    reader.dir_ = dir_;
    const auto inside = reader.run();
    std::vector<ShellCommand> lines = reader.lines();
    // Before the line that is being read.
    lines_.insert(lines_.end() - (in_line_ ? 1 : 0), lines.begin(), lines.end());
    if (!inside) return give_up();
    found_.insert(found_.begin(), inside->begin(), inside->end());
    at_ = end + length;
  }

  void give_up() { given_up_ = true; }

  string_view script_;
  std::size_t at_ = 0;
  bool expects_command_ = true;
  bool last_ = false;  // the newest found is the command that is being read
  bool given_up_ = false;
  std::vector<std::string> found_;
  std::set<std::string> functions_;
  std::vector<ShellCommand> lines_;
  bool in_line_ = false;  // the newest of them is being read
  std::optional<std::string> dir_ = "";
  std::vector<std::optional<std::string>> outside_;  // where each open parenthesis began
};

bool is_asked_for(string_view script, const std::string& name) {
  return std::any_of(questions.begin(), questions.end(), [&](string_view question) {
    return script.find(std::string(question) + name) != string_view::npos;
  });
}

}  // namespace

std::vector<std::string> commands_in_shell(string_view script) {
  if (script.find("PATH=") != string_view::npos) return {};
  std::vector<std::string> found = Reader(script).run().value_or(std::vector<std::string>());
  std::erase_if(found, [&](const std::string& name) { return is_asked_for(script, name); });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<ShellCommand> lines_in_shell(string_view script) {
  Reader reader(script);
  reader.run();
  return reader.lines();
}

}  // namespace watcher
