#include <algorithm>
#include <array>
#include <optional>

#include "rules/signals/expression.hpp"
#include "rules/signals/selector_parser.hpp"

namespace rules {

namespace {

constexpr Duration range_max = std::chrono::hours(24);  // of rate() and increase(): bounds what is kept of a counter

struct AggregationName {
  std::string_view name;
  PromqlAggregation op;
};
constexpr std::array<AggregationName, 4> aggregation_names{{{"sum", PromqlAggregation::sum},
                                                            {"avg", PromqlAggregation::avg},
                                                            {"min", PromqlAggregation::min},
                                                            {"max", PromqlAggregation::max}}};

// Words that mean something in PromQL besides what is accepted: never a metric's name here.
constexpr std::array<std::string_view, 24> refused_words{
    "and",    "or",       "unless", "on",          "ignoring", "group_left", "group_right", "bool",
    "offset", "without",  "count",  "stddev",      "stdvar",   "topk",       "bottomk",     "count_values",
    "group",  "quantile", "limitk", "limit_ratio", "atan2",    "inf",        "nan",         "by"};

template <class Names>
auto find_named(const Names& names, std::string_view word) {
  return std::find_if(names.begin(), names.end(), [word](const auto& known) { return known.name == word; });
}

class Parser {
 public:
  Parser(std::string_view text, const std::vector<Token>& tokens) : reader_(text, tokens) {}

  Parsed<ExpressionOf> run() {
    PromqlPtr root = read_sum();
    if (!reader_.failed() && reader_.peek().kind != TokenKind::end) reader_.fail_expected("+ - * / or the end");
    if (!reader_.failed() && reads_.empty()) reader_.fail(0, "reads no series; expected a metric's name");
    if (reader_.failed()) return reader_.error();
    return ExpressionOf{std::string(reader_.text()),
                        std::make_shared<const SignalExpression>(std::move(root), std::move(reads_))};
  }

 private:
  template <class Node>
  static PromqlPtr make(Node node, bool scalar) {
    auto made = std::make_unique<PromqlNode>();
    made->node = std::move(node);
    made->scalar = scalar;
    return made;
  }

  template <class ReadOperand>
  PromqlPtr read_binary(const ArithmeticSigns& ops, ReadOperand read_operand) {
    PromqlPtr left = read_operand();
    for (;;) {
      const bool first = reader_.accept(ops[0].first);
      if (!first && !reader_.accept(ops[1].first)) return left;
      PromqlPtr right = read_operand();
      if (reader_.failed()) return nullptr;
      const bool scalar = left->scalar && right->scalar;
      left = make(PromqlBinary{ops[first ? 0 : 1].second, std::move(left), std::move(right)}, scalar);
    }
  }

  PromqlPtr read_sum() {
    return read_binary(sum_signs, [this] { return read_product(); });
  }
  PromqlPtr read_product() {
    return read_binary(product_signs, [this] { return read_signed(); });
  }

  PromqlPtr read_signed() {
    const TokenReader::Level level(reader_);
    if (reader_.accept("+")) return read_signed();
    if (!reader_.accept("-")) return read_primary();
    PromqlPtr of = read_signed();
    if (reader_.failed()) return nullptr;
    const bool scalar = of->scalar;
    return make(PromqlMinus{std::move(of)}, scalar);
  }

  PromqlPtr read_primary() {
    if (reader_.failed()) return nullptr;
    const Token token = reader_.peek();
    if (reader_.accept("(")) {
      PromqlPtr inner = read_sum();
      reader_.expect(")");
      return inner;
    }
    if (token.kind == TokenKind::number) {
      reader_.take();
      return make(PromqlNumber{token.value}, true);
    }
    if (token.is("{") && begins_selector(reader_)) return read_instant();
    if (token.kind != TokenKind::name) {
      reader_.fail_expected("a metric, a number, sum, avg, min, max, rate, increase or \"(\"");
      return nullptr;
    }
    return read_named(token);
  }

  PromqlPtr read_named(const Token& token) {
    const bool call = reader_.peek_after().is("(");
    const auto aggregation = find_named(aggregation_names, token.text);
    if (aggregation != aggregation_names.end()) {
      if (call || reader_.peek_after().is_word("by") || reader_.peek_after().is_word("without")) {
        return read_aggregate(aggregation->op);
      }
    }
    if (call && token.text == "rate") return read_range_call(PromqlRange::rate);
    if (call && token.text == "increase") return read_range_call(PromqlRange::increase);
    std::string lower = token.text;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (call || std::find(refused_words.begin(), refused_words.end(), lower) != refused_words.end()) {
      reader_.fail(token.begin, "\"" + token.text +
                                    "\" is not in the accepted part of PromQL; expected arithmetic over metrics, "
                                    "sum, avg, min, max with by, rate or increase");
      return nullptr;
    }
    return read_instant();
  }

  PromqlPtr read_instant() {
    Selector selector = read_selector(reader_);
    if (reader_.peek().is("[")) {
      reader_.fail(reader_.peek().begin, "a range stands inside rate() or increase() only");
    }
    reads_.push_back({std::move(selector), Duration::zero()});
    return make(PromqlInstant{reads_.size() - 1}, false);
  }

  PromqlPtr read_range_call(PromqlRange function) {
    reader_.take();
    reader_.expect("(");
    Selector selector = read_selector(reader_);
    reader_.expect("[");
    const Token& range = reader_.peek();
    const Duration wanted = range.duration;
    if (range.kind != TokenKind::duration || wanted <= Duration::zero() || wanted > range_max) {
      reader_.fail_expected("a range such as 1m, at most " + to_string(range_max));
      return nullptr;
    }
    reader_.take();
    reader_.expect("]");
    reader_.expect(")");
    reads_.push_back({std::move(selector), wanted});
    return make(PromqlRangeCall{function, reads_.size() - 1, wanted}, false);
  }

  PromqlPtr read_aggregate(PromqlAggregation op) {
    const TokenReader::Level level(reader_);
    reader_.take();
    PromqlAggregate aggregate;
    aggregate.op = op;
    const bool before = read_by(aggregate.by);
    reader_.expect("(");
    const std::size_t begin = reader_.peek().begin;
    aggregate.of = read_sum();
    reader_.expect(")");
    if (!before) read_by(aggregate.by);
    if (reader_.failed()) return nullptr;
    if (aggregate.of->scalar) {
      reader_.fail(begin, "expected a metric to aggregate, found a plain number");
      return nullptr;
    }
    return make(std::move(aggregate), false);
  }

  // by (label, ...), where it stands.
  bool read_by(std::vector<std::string>& by) {
    if (reader_.peek().is_word("without")) return reader_.fail_expected("by (without is not accepted)");
    if (!reader_.accept_word("by")) return false;
    reader_.expect("(");
    while (!reader_.failed() && !reader_.peek().is(")")) {
      if (reader_.peek().kind != TokenKind::name || reader_.peek().text == "__name__") {
        return reader_.fail_expected("a label's name");
      }
      by.push_back(reader_.take().text);
      if (!reader_.accept(",")) break;
    }
    reader_.expect(")");
    std::sort(by.begin(), by.end());
    by.erase(std::unique(by.begin(), by.end()), by.end());
    return true;
  }

  TokenReader reader_;
  std::vector<SignalExpression::Read> reads_;
};

}  // namespace

Duration SignalExpression::range_max() const {
  Duration longest{};
  for (const Read& read : reads_) longest = std::max(longest, read.range);
  return longest;
}

Parsed<ExpressionOf> parse_signal_expression(std::string_view text) {
  Parsed<std::vector<Token>> tokens = tokenize(text);
  if (auto* error = std::get_if<SyntaxError>(&tokens)) return std::move(*error);
  return Parser(text, std::get<std::vector<Token>>(tokens)).run();
}

}  // namespace rules
