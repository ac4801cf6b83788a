#include "rules/base/shell_words.hpp"

#include <utility>

namespace rules {

namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::string_view operators = ";|&()\n";

class Splitter {
 public:
  void take(char c) {
    if (std::exchange(is_escaped_, false))
      add(c);
    else if (c == '\\' && quote_ != '\'')
      is_escaped_ = true;
    else if (quote_ != '\0')
      in_quotes(c);
    else
      outside(c);
  }

  std::vector<std::string> words() && {
    end_word();
    return std::move(words_);
  }

 private:
  void add(char c) {
    word_ += c;
    has_word_ = true;
  }

  void in_quotes(char c) {
    if (c == quote_)
      quote_ = '\0';
    else
      add(c);
  }

  void outside(char c) {
    if (c == '\'' || c == '"') {
      quote_ = c;
      has_word_ = true;
    } else if (operators.find(c) != operators.npos) {
      end_word();
      words_.emplace_back(";");
    } else if (blanks.find(c) != blanks.npos) {
      end_word();
    } else {
      add(c);
    }
  }

  void end_word() {
    if (std::exchange(has_word_, false)) words_.push_back(std::exchange(word_, {}));
  }

  std::vector<std::string> words_;
  std::string word_;
  bool has_word_ = false;
  bool is_escaped_ = false;
  char quote_ = '\0';
};

}  // namespace

std::vector<std::string> shell_words(std::string_view line) {
  Splitter splitter;
  for (const char c : line) splitter.take(c);
  return std::move(splitter).words();
}

std::string shell_word(std::string_view word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";
  if (!word.empty() && word.find_first_not_of(plain) == word.npos) return std::string(word);
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace rules
