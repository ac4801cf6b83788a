#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/parse.hpp"

namespace rules {

// Words of conditions and of PromQL: the two share names, strings, numbers and signs.

inline constexpr std::size_t expression_length_max = 4096;  // bytes: a person reads it; a generated one may be long
inline constexpr int expression_depth_max = 64;  // brackets, signs and nots inside each other: bounds the stack

enum class TokenKind { end, name, text, number, share, duration, size, sign };

struct Token {
  TokenKind kind = TokenKind::end;
  std::size_t begin = 0;  // bytes from the text's begin
  std::size_t end = 0;
  std::string text;     // name as written, content of a string, or the sign
  double value = 0;     // number; share as a fraction; duration in seconds; size in bytes
  Duration duration{};  // duration exactly

  bool is(std::string_view sign) const { return kind == TokenKind::sign && text == sign; }
  bool is_word(std::string_view word) const { return kind == TokenKind::name && text == word; }
};

// The words of a text, the last one of kind `end`.
Parsed<std::vector<Token>> tokenize(std::string_view text);

// What a token is called in messages: "x", a number as written, or "the end".
std::string describe(const Token& token, std::string_view text);

// Goes over tokens and remembers the first mistake; after a mistake everything it is asked for is an empty answer,
// so that a parser needs to look only where it would go on wrongly.
class TokenReader {
 public:
  TokenReader(std::string_view text, const std::vector<Token>& tokens) : text_(text), tokens_(tokens) {}

  const Token& peek() const { return tokens_[at_]; }
  const Token& peek_after() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& take();
  bool accept(std::string_view sign);
  bool accept_word(std::string_view word);
  // The next token must be this sign; otherwise it is a mistake, and the answer false.
  bool expect(std::string_view sign);
  bool fail(std::size_t offset, std::string what);
  bool fail_expected(std::string_view expected);
  bool failed() const { return failed_; }
  const SyntaxError& error() const { return error_; }
  std::size_t last_end() const { return at_ == 0 ? 0 : tokens_[at_ - 1].end; }
  std::string_view text() const { return text_; }

  // One level deeper while it lives; the level after expression_depth_max is a mistake.
  class Level {
   public:
    explicit Level(TokenReader& reader);
    ~Level() { --reader_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    TokenReader& reader_;
  };

 private:
  std::string_view text_;
  const std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool failed_ = false;
  SyntaxError error_;
};

}  // namespace rules
