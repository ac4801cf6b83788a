#include "rules/signals/selector.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "rules/signals/selector_parser.hpp"

namespace rules {

namespace {

constexpr std::int64_t pattern_memory_max = 1
                                            << 20;  // bytes of one compiled matcher: a page is matched in microseconds

struct MatchSign {
  std::string_view sign;
  MatchKind kind;
};
constexpr std::array<MatchSign, 4> match_signs{
    {{"=~", MatchKind::regex}, {"!~", MatchKind::not_regex}, {"!=", MatchKind::not_equal}, {"=", MatchKind::equal}}};

std::string_view to_string(MatchKind kind) {
  return std::find_if(match_signs.begin(), match_signs.end(),
                      [kind](const MatchSign& known) { return known.kind == kind; })
      ->sign;
}

constexpr std::string_view name_label = "__name__";

std::string_view label_value(const SeriesKey& key, const std::string& label) {
  if (label == name_label) return key.name;
  const auto found = std::find_if(key.labels.begin(), key.labels.end(),
                                  [&label](const Label& candidate) { return candidate.name == label; });
  return found == key.labels.end() ? std::string_view{} : std::string_view(found->value);
}

void append_quoted(std::string& out, const std::string& value) {
  constexpr std::string_view specials = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view names = "abfnrtv\\\"";
  out += '"';
  for (const char c : value) {
    const std::size_t special = specials.find(c);
    if (special != std::string_view::npos) out += '\\';
    out += special == std::string_view::npos ? c : names[special];
  }
  out += '"';
}

std::optional<MatchKind> take_match_sign(TokenReader& reader) {
  for (const MatchSign& known : match_signs) {
    if (reader.accept(known.sign)) return known.kind;
  }
  reader.fail_expected("one of = != =~ !~");
  return std::nullopt;
}

}  // namespace

struct Matcher::Pattern {
  explicit Pattern(const std::string& text) : re("^(?s:" + text + ")$", options()) {}
  static re2::RE2::Options options() {
    re2::RE2::Options out(re2::RE2::Quiet);
    out.set_max_mem(pattern_memory_max);
    return out;
  }
  re2::RE2 re;
};

Parsed<Matcher> Matcher::make(std::string label, MatchKind kind, std::string value) {
  Matcher out;
  if (kind == MatchKind::regex || kind == MatchKind::not_regex) {
    auto pattern = std::make_shared<const Pattern>(value);
    // Alone first: "a)|(b" would be balanced only inside the anchoring brackets.
    if (const re2::RE2 alone(value, Pattern::options()); !alone.ok()) {
      return SyntaxError{0, "not an RE2 pattern: " + alone.error()};
    }
    if (!pattern->re.ok()) return SyntaxError{0, "not an RE2 pattern: " + pattern->re.error()};
    out.pattern_ = std::move(pattern);
  }
  out.label_ = std::move(label);
  out.kind_ = kind;
  out.value_ = std::move(value);
  return out;
}

bool Matcher::matches(std::string_view label_value) const {
  switch (kind_) {
    case MatchKind::equal:
      return label_value == value_;
    case MatchKind::not_equal:
      return label_value != value_;
    case MatchKind::regex:
      return re2::RE2::FullMatch(label_value, pattern_->re);
    case MatchKind::not_regex:
      return !re2::RE2::FullMatch(label_value, pattern_->re);
  }
  return false;
}

bool Selector::matches(const SeriesKey& key) const { return (name.empty() || key.name == name) && matches_labels(key); }

bool Selector::matches_labels(const SeriesKey& key) const {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&key](const Matcher& matcher) { return matcher.matches(label_value(key, matcher.label())); });
}

namespace {

// Whether matchers of the metric's name may stand in the braces: where no name stands before them.
enum class NameMatchers { refused, allowed };

// A label's name, in quotes where it has other characters than a plain one.
std::optional<std::string> take_label(TokenReader& reader, NameMatchers names) {
  const Token label = reader.take();
  const bool plain = label.kind == TokenKind::name && label.text.find(':') == std::string::npos;
  const bool quoted = label.kind == TokenKind::text && !label.text.empty();
  if (!plain && !quoted) {
    reader.fail(label.begin, "expected a label's name, found " + describe(label, reader.text()));
    return std::nullopt;
  }
  if (label.text == name_label && names == NameMatchers::refused) {
    reader.fail(label.begin, "the metric's name stands before the braces");
    return std::nullopt;
  }
  return label.text;
}

// label="value"; nothing after a mistake.
std::optional<Matcher> read_matcher(TokenReader& reader, NameMatchers names) {
  const std::optional<std::string> label = take_label(reader, names);
  const std::optional<MatchKind> kind = label ? take_match_sign(reader) : std::nullopt;
  if (!kind) return std::nullopt;
  const Token value = reader.take();
  if (value.kind != TokenKind::text) {
    reader.fail(value.begin, "expected a string in quotes, found " + describe(value, reader.text()));
    return std::nullopt;
  }
  Parsed<Matcher> made = Matcher::make(*label, *kind, value.text);
  if (auto* error = std::get_if<SyntaxError>(&made)) {
    reader.fail(value.begin, error->what);
    return std::nullopt;
  }
  return std::get<Matcher>(std::move(made));
}

// The rest of the list after "{".
std::vector<Matcher> read_rest(TokenReader& reader, NameMatchers names) {
  std::vector<Matcher> matchers;
  while (!reader.failed() && !reader.peek().is("}")) {
    std::optional<Matcher> matcher = read_matcher(reader, names);
    if (!matcher) break;
    matchers.push_back(*std::move(matcher));
    if (!reader.accept(",")) break;
  }
  reader.expect("}");
  return matchers;
}

}  // namespace

std::vector<Matcher> read_matchers(TokenReader& reader) {
  return reader.accept("{") ? read_rest(reader, NameMatchers::refused) : std::vector<Matcher>();
}

bool begins_selector(const TokenReader& reader) {
  return reader.peek().kind == TokenKind::name ||
         (reader.peek().is("{") &&
          (reader.peek_after().kind == TokenKind::text || reader.peek_after().is_word(name_label)));
}

Selector read_selector(TokenReader& reader) {
  Selector selector;
  if (!begins_selector(reader)) {
    reader.fail_expected("a metric's name");
    return selector;
  }
  if (reader.peek().kind == TokenKind::name) {
    selector.name = reader.take().text;
    selector.matchers = read_matchers(reader);
    return selector;
  }
  reader.take();
  if (reader.peek().is_word(name_label)) {
    const std::size_t begin = reader.peek().begin;
    selector.matchers = read_rest(reader, NameMatchers::allowed);
    const bool is_pattern = !selector.matchers.empty() && selector.matchers.front().kind() == MatchKind::regex;
    if (!is_pattern) reader.fail(begin, "a pattern of names is written __name__=~\"...\"");
    return selector;
  }
  const Token name = reader.take();
  selector.name = name.text;
  if (name.text.empty()) reader.fail(name.begin, "expected a metric's name in the quotes");
  const bool more = reader.accept(",");
  if (more)
    selector.matchers = read_rest(reader, NameMatchers::refused);
  else
    reader.expect("}");
  return selector;
}

Parsed<Selector> parse_selector(std::string_view text) {
  Parsed<std::vector<Token>> tokens = tokenize(text);
  if (auto* error = std::get_if<SyntaxError>(&tokens)) return std::move(*error);
  TokenReader reader(text, std::get<std::vector<Token>>(tokens));
  Selector selector = read_selector(reader);
  if (!reader.failed() && reader.peek().kind != TokenKind::end) {
    reader.fail_expected("the end of the selector");
  }
  if (reader.failed()) return reader.error();
  return selector;
}

std::string to_string(const Selector& selector) {
  const bool plain = is_plain_metric(selector.name);
  if (plain && selector.matchers.empty()) return selector.name;
  std::string out = plain ? selector.name : "";
  char separator = '{';
  if (!plain && !selector.name.empty()) {
    out += std::exchange(separator, ',');
    append_quoted(out, selector.name);
  }
  for (const Matcher& matcher : selector.matchers) {
    out += std::exchange(separator, ',');
    if (is_plain_label(matcher.label()))
      out += matcher.label();
    else
      append_quoted(out, matcher.label());
    out += to_string(matcher.kind());
    append_quoted(out, matcher.value());
  }
  out += '}';
  return out;
}

}  // namespace rules
