#include "rules/signals/lexer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace rules {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; }
bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }
bool is_unit_part(char c) { return is_name_part(c) && c != ':' && c != '_'; }

struct SizeUnit {
  std::string_view name;
  double bytes;
};
constexpr std::array<SizeUnit, 3> size_units{{{"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}}};

constexpr std::array<std::string_view, 23> signs{"==", "!=", ">=", "<=", "=~", "!~", ">", "<", "=", "+", "-", "*",
                                                 "/",  "(",  ")",  "[",  "]",  "{",  "}", ",", ".", ";", "@"};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Parsed<std::vector<Token>> run() {
    if (text_.size() > expression_length_max) {
      return SyntaxError{expression_length_max,
                         "longer than " + std::to_string(expression_length_max) + " bytes; split it up"};
    }
    std::vector<Token> tokens;
    for (;;) {
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
      Parsed<Token> token = next();
      if (auto* error = std::get_if<SyntaxError>(&token)) return std::move(*error);
      tokens.push_back(std::move(std::get<Token>(token)));
      if (tokens.back().kind == TokenKind::end) return tokens;
    }
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  Parsed<Token> next() {
    if (at_ == text_.size()) return token(TokenKind::end, at_);
    const char c = text_[at_];
    if (is_digit(c)) return number();
    if (is_name_start(c)) return name();
    if (c == '"' || c == '\'' || c == '`') return quoted(c);
    return sign();
  }

  Token token(TokenKind kind, std::size_t begin) const {
    Token out;
    out.kind = kind;
    out.begin = begin;
    out.end = at_;
    out.text = std::string(text_.substr(begin, at_ - begin));
    return out;
  }

  Token name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name_part(text_[at_])) ++at_;
    return token(TokenKind::name, begin);
  }

  Parsed<Token> sign() {
    for (const std::string_view known : signs) {
      if (text_.substr(at_, known.size()) != known) continue;
      const std::size_t begin = at_;
      at_ += known.size();
      return token(TokenKind::sign, begin);
    }
    if (text_[at_] == '%') return SyntaxError{at_, "% stands directly after a number, as in 5%"};
    return SyntaxError{at_, "unexpected character"};
  }

  void digits() {
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  }
  bool digit_at(std::size_t at) const { return at < text_.size() && is_digit(text_[at]); }

  // A number with what stands directly after it: nothing, %, a duration's units, a size's unit.
  Parsed<Token> number() {
    const std::size_t begin = at_;
    digits();
    bool whole = true;
    if (at_ < text_.size() && text_[at_] == '.' && digit_at(at_ + 1)) {
      whole = false;
      ++at_;
      digits();
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      const bool signed_exponent = at_ + 1 < text_.size() && (text_[at_ + 1] == '+' || text_[at_ + 1] == '-');
      if (digit_at(at_ + (signed_exponent ? 2 : 1))) {
        whole = false;
        at_ += signed_exponent ? 2 : 1;
        digits();
      }
    }
    double value = 0;
    const auto read = std::from_chars(text_.data() + begin, text_.data() + at_, value);
    if (read.ec != std::errc{} || !std::isfinite(value)) return SyntaxError{begin, "number out of range"};
    return with_unit(begin, value, whole);
  }

  Parsed<Token> with_unit(std::size_t begin, double value, bool whole) {
    TokenKind kind = TokenKind::number;
    Duration duration{};
    const std::size_t unit_at = at_;
    while (at_ < text_.size() && is_unit_part(text_[at_])) ++at_;
    const std::string_view unit = text_.substr(unit_at, at_ - unit_at);
    if (at_ < text_.size() && text_[at_] == '%' && unit.empty()) {
      ++at_;
      value /= 100;
      kind = TokenKind::share;
    } else if (!unit.empty()) {
      const auto* size = std::find_if(size_units.begin(), size_units.end(),
                                      [unit](const SizeUnit& known) { return known.name == unit; });
      if (size != size_units.end()) {
        value *= size->bytes;
        kind = TokenKind::size;
      } else {
        if (!whole) return SyntaxError{begin, "durations are whole numbers with units, such as 1500ms or 1h30m"};
        Parsed<Duration> parsed = parse_duration(text_.substr(begin, at_ - begin));
        if (auto* error = std::get_if<SyntaxError>(&parsed)) {
          return SyntaxError{begin + error->offset, error->what + ", or a size in KiB, MiB, GiB"};
        }
        duration = std::get<Duration>(parsed);
        value = seconds(duration);
        kind = TokenKind::duration;
      }
    }
    Token out = token(kind, begin);
    out.value = value;
    out.duration = duration;
    return out;
  }

  Parsed<Token> quoted(char quote) {
    const std::size_t begin = at_++;
    std::string content;
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\n' && quote != '`') return SyntaxError{at_ - 1, "a string ends on the line where it began"};
      if (c == '\\' && quote != '`') {
        const char escaped = at_ < text_.size() ? text_[at_] : '\0';
        constexpr std::string_view names = "abfnrtv\\";
        constexpr std::string_view values = "\a\b\f\n\r\t\v\\";
        const std::size_t found = names.find(escaped);
        if (found == std::string_view::npos && escaped != quote) {
          return SyntaxError{at_ - 1, "unknown escape in a string; a backslash is written \\\\"};
        }
        c = found == std::string_view::npos ? quote : values[found];
        ++at_;
      }
      content += c;
    }
    if (at_ == text_.size()) return SyntaxError{begin, "this string has no end"};
    ++at_;
    Token out = token(TokenKind::text, begin);
    out.text = std::move(content);
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Parsed<std::vector<Token>> tokenize(std::string_view text) { return Lexer(text).run(); }

std::string describe(const Token& token, std::string_view text) {
  if (token.kind == TokenKind::end) return "the end";
  return "\"" + std::string(text.substr(token.begin, token.end - token.begin)) + "\"";
}

const Token& TokenReader::take() {
  const Token& token = tokens_[at_];
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool TokenReader::accept(std::string_view sign) {
  if (failed_ || !peek().is(sign)) return false;
  take();
  return true;
}

bool TokenReader::accept_word(std::string_view word) {
  if (failed_ || !peek().is_word(word)) return false;
  take();
  return true;
}

bool TokenReader::expect(std::string_view sign) {
  if (accept(sign)) return true;
  return fail_expected("\"" + std::string(sign) + "\"");
}

bool TokenReader::fail(std::size_t offset, std::string what) {
  if (!failed_) error_ = SyntaxError{offset, std::move(what)};
  failed_ = true;
  return false;
}

bool TokenReader::fail_expected(std::string_view expected) {
  return fail(peek().begin, "expected " + std::string(expected) + ", found " + describe(peek(), text_));
}

TokenReader::Level::Level(TokenReader& reader) : reader_(reader) {
  if (++reader_.depth_ > expression_depth_max) {
    reader_.fail(reader_.peek().begin,
                 "nested deeper than " + std::to_string(expression_depth_max) + " levels; split it up");
  }
}

}  // namespace rules
