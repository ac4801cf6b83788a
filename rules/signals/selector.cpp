#include "rules/signals/selector.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>

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

std::string_view label_value(const SeriesKey& key, const std::string& label) {
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

bool Selector::matches(const SeriesKey& key) const { return key.name == name && matches_labels(key); }

bool Selector::matches_labels(const SeriesKey& key) const {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&key](const Matcher& matcher) { return matcher.matches(label_value(key, matcher.label())); });
}

std::vector<Matcher> read_matchers(TokenReader& reader) {
  std::vector<Matcher> matchers;
  if (!reader.accept("{")) return matchers;
  while (!reader.failed() && !reader.peek().is("}")) {
    const Token label = reader.take();
    if (label.kind != TokenKind::name || label.text.find(':') != std::string::npos) {
      reader.fail(label.begin, "expected a label's name, found " + describe(label, reader.text()));
      break;
    }
    if (label.text == "__name__") {
      reader.fail(label.begin, "the metric's name stands before the braces");
      break;
    }
    const std::optional<MatchKind> kind = take_match_sign(reader);
    if (!kind) break;
    const Token value = reader.take();
    if (value.kind != TokenKind::text) {
      reader.fail(value.begin, "expected a string in quotes, found " + describe(value, reader.text()));
      break;
    }
    Parsed<Matcher> made = Matcher::make(label.text, *kind, value.text);
    if (auto* error = std::get_if<SyntaxError>(&made)) {
      reader.fail(value.begin, error->what);
      break;
    }
    matchers.push_back(std::move(std::get<Matcher>(made)));
    if (!reader.accept(",")) break;
  }
  reader.expect("}");
  return matchers;
}

Selector read_selector(TokenReader& reader) {
  Selector selector;
  if (reader.peek().kind != TokenKind::name) {
    reader.fail_expected("a metric's name");
    return selector;
  }
  selector.name = reader.take().text;
  selector.matchers = read_matchers(reader);
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
  std::string out = selector.name;
  if (selector.matchers.empty()) return out;
  char separator = '{';
  for (const Matcher& matcher : selector.matchers) {
    out += separator;
    out += matcher.label();
    out += to_string(matcher.kind());
    append_quoted(out, matcher.value());
    separator = ',';
  }
  out += '}';
  return out;
}

}  // namespace rules
