#include "rules/conditions/condition.hpp"
#include "rules/conditions/unit.hpp"
#include "rules/conditions/words.hpp"
#include "rules/signals/lexer.hpp"
#include "rules/signals/selector_parser.hpp"

namespace rules {

namespace {

// Either a statement (true or false) or a number, with where it stands in the text. Which of the two each place
// wants is what keeps comparing and computing apart.
struct Operand {
  ConditionPtr statement;
  ExpressionPtr number;
  std::size_t begin = 0;
  std::size_t end = 0;
};

class Parser {
 public:
  Parser(std::string_view text, const std::vector<Token>& tokens) : reader_(text, tokens) {}

  Parsed<Condition> run() {
    Operand whole = read_or();
    want_statement(whole);
    if (!reader_.failed() && reader_.peek().kind != TokenKind::end) {
      reader_.fail_expected("\"and\", \"or\" or the end of the condition");
    }
    if (reader_.failed()) return reader_.error();
    return Condition(std::string(reader_.text()), std::move(whole.statement));
  }

 private:
  void want_statement(const Operand& operand) {
    if (operand.statement == nullptr) {
      reader_.fail(operand.begin, "a number says nothing by itself; expected a comparison such as x > 5");
    }
  }
  void want_number(const Operand& operand) {
    if (operand.number == nullptr) {
      reader_.fail(operand.begin, "comparing and computing do not mix; expected a number or a signal here");
    }
  }

  Operand statement(ConditionNode node, std::size_t begin) const {
    return {std::make_unique<ConditionNode>(std::move(node)), nullptr, begin, reader_.last_end()};
  }
  template <class Node>
  Operand number(Node node, std::size_t begin) const {
    auto made = std::make_unique<Expression>();
    made->node = std::move(node);
    made->offset = begin;
    return {nullptr, std::move(made), begin, reader_.last_end()};
  }

  // term (word term)*, for `or` and `and`.
  template <class Node, class ReadTerm>
  Operand read_terms(std::string_view word, ReadTerm read_term) {
    Operand first = read_term();
    if (reader_.failed() || !reader_.peek().is_word(word)) return first;
    want_statement(first);
    const std::size_t begin = first.begin;
    Node node;
    node.terms.push_back(std::move(first.statement));
    while (reader_.accept_word(word)) {
      Operand term = read_term();
      want_statement(term);
      node.terms.push_back(std::move(term.statement));
    }
    return statement({std::move(node)}, begin);
  }

  Operand read_or() {
    return read_terms<Or>("or", [this] { return read_and(); });
  }
  Operand read_and() {
    return read_terms<And>("and", [this] { return read_not(); });
  }

  Operand read_not() {
    const TokenReader::Level level(reader_);
    const std::size_t begin = reader_.peek().begin;
    if (!reader_.accept_word("not")) return read_comparison();
    Operand of = read_not();
    want_statement(of);
    return statement({Not{std::move(of.statement)}}, begin);
  }

  std::optional<CompareOp> accept_compare_sign() {
    for (const CompareSign& known : compare_signs) {
      if (reader_.accept(known.sign)) return known.op;
    }
    return std::nullopt;
  }

  Operand read_comparison() {
    Operand left = read_sum();
    const std::optional<CompareOp> op = accept_compare_sign();
    if (!op) {
      if (reader_.peek().is("=")) reader_.fail(reader_.peek().begin, "expected ==, found =");
      return left;
    }
    want_number(left);
    Operand right = read_sum();
    want_number(right);
    const std::size_t next = reader_.peek().begin;
    if (accept_compare_sign()) {
      reader_.fail(next, "comparisons are not chained; expected \"and\" between two of them");
    }
    if (reader_.failed()) return {};
    std::string text(reader_.text().substr(left.begin, right.end - left.begin));
    const bool mirrored = std::holds_alternative<Literal>(left.number->node);
    const std::string_view unit = unit_of(mirrored ? *left.number : *right.number);
    return statement({Compare{*op, std::move(left.number), std::move(right.number), std::move(text), unit}},
                     left.begin);
  }

  // operand (sign operand)*, left to right, for the two levels of computing.
  template <class ReadOperand>
  Operand read_computed(const ArithmeticSigns& ops, ReadOperand read_operand) {
    Operand left = read_operand();
    for (;;) {
      const bool first = reader_.accept(ops[0].first);
      if (!first && !reader_.accept(ops[1].first)) return left;
      want_number(left);
      Operand right = read_operand();
      want_number(right);
      if (reader_.failed()) return {};
      const std::size_t begin = left.begin;
      left = number(Arithmetic{ops[first ? 0 : 1].second, std::move(left.number), std::move(right.number)}, begin);
    }
  }

  Operand read_sum() {
    return read_computed(sum_signs, [this] { return read_product(); });
  }
  Operand read_product() {
    return read_computed(product_signs, [this] { return read_negation(); });
  }

  Operand read_negation() {
    const TokenReader::Level level(reader_);
    const std::size_t begin = reader_.peek().begin;
    if (!reader_.accept("-")) return read_primary();
    Operand of = read_negation();
    want_number(of);
    return number(Negation{std::move(of.number)}, begin);
  }

  Operand read_primary() {
    if (reader_.failed()) return {};
    const std::size_t begin = reader_.peek().begin;
    if (reader_.accept("(")) {
      Operand inner = read_or();
      reader_.expect(")");
      inner.begin = begin;
      inner.end = reader_.last_end();
      return inner;
    }
    switch (reader_.peek().kind) {
      case TokenKind::number:
        return literal(LiteralKind::number);
      case TokenKind::share:
        return literal(LiteralKind::share);
      case TokenKind::duration:
        return literal(LiteralKind::duration);
      case TokenKind::size:
        return literal(LiteralKind::size);
      case TokenKind::name:
        if (is_reserved(reader_.peek().text)) break;
        return reader_.peek_after().is("(") ? read_call() : read_reference();
      case TokenKind::end:
      case TokenKind::text:
      case TokenKind::sign:
        break;
    }
    reader_.fail_expected("a number, a signal, probe.field or \"(\"");
    return {};
  }

  Operand literal(LiteralKind kind) {
    const Token& token = reader_.take();
    const std::string_view written = reader_.text().substr(token.begin, token.end - token.begin);
    return number(Literal{token.value, kind, unit_written(written)}, token.begin);
  }

  // signal, probe.field or probe.field{label="value"}
  Operand read_reference() {
    const Token name = reader_.peek();
    if (name.kind != TokenKind::name || is_reserved(name.text)) {
      reader_.fail_expected("a signal or probe.field");
      return {};
    }
    if (!is_config_name(name.text)) {
      reader_.fail(name.begin, "names of signals and probes have only a-z, 0-9 and _");
      return {};
    }
    reader_.take();
    if (!reader_.accept(".")) {
      if (reader_.peek().is("{")) {
        reader_.fail_expected("no labels on a signal; labels belong to probe.field");
      }
      return number(SignalRef{SignalName(name.text)}, name.begin);
    }
    FieldRef field;
    field.probe = ProbeName(name.text);
    if (reader_.peek().kind != TokenKind::name || reader_.peek().begin != name.end + 1) {
      reader_.fail_expected("a field's name directly after the dot");
      return {};
    }
    field.field = reader_.take().text;
    field.matchers = read_matchers(reader_);
    return number(std::move(field), name.begin);
  }

  Operand read_call() {
    const TokenReader::Level level(reader_);
    const Token name = reader_.take();
    reader_.expect("(");
    if (name.text == "baseline") return close(BaselineRef{read_reference().number}, name.begin);
    if (name.text == "before") return close(BeforeRef{read_reference().number}, name.begin);
    if (name.text == "restarts") return read_restarts(name.begin);
    for (const OverTimeName& known : over_time_names) {
      if (known.name == name.text) return read_over_time(known.function, name.begin);
    }
    reader_.fail(name.begin, "there is no function \"" + name.text +
                                 "\"; expected baseline, before, restarts, avg, max, min, quantile or slope");
    return {};
  }

  template <class Node>
  Operand close(Node node, std::size_t begin) {
    reader_.expect(")");
    return number(std::move(node), begin);
  }

  Operand read_restarts(std::size_t begin) {
    RestartsRef restarts;
    if (reader_.peek().kind != TokenKind::name || !is_config_name(reader_.peek().text)) {
      reader_.fail_expected("a probe's name");
      return {};
    }
    restarts.probe = ProbeName(reader_.take().text);
    reader_.expect(",");
    restarts.window = read_window();
    return close(std::move(restarts), begin);
  }

  Operand read_over_time(OverTimeFunction function, std::size_t begin) {
    OverTimeRef over_time;
    over_time.function = function;
    over_time.of = read_reference().number;
    reader_.expect(",");
    if (function == OverTimeFunction::quantile) {
      over_time.quantile = read_quantile();
      reader_.expect(",");
    }
    over_time.window = read_window();
    return close(std::move(over_time), begin);
  }

  double read_quantile() {
    const Token& token = reader_.peek();
    const bool number = token.kind == TokenKind::number || token.kind == TokenKind::share;
    if (!number || token.value < 0 || token.value > 1) {
      reader_.fail_expected("a quantile from 0 to 1, such as 0.95");
      return 0;
    }
    return reader_.take().value;
  }

  Duration read_window() {
    const Token& token = reader_.peek();
    if (token.kind != TokenKind::duration || token.duration <= Duration::zero() ||
        token.duration > over_time_window_max) {
      reader_.fail_expected("a window such as 10m, at most " + to_string(over_time_window_max));
      return {};
    }
    return reader_.take().duration;
  }

  TokenReader reader_;
};

}  // namespace

Parsed<Condition> parse_condition(std::string_view text) {
  Parsed<std::vector<Token>> tokens = tokenize(text);
  if (auto* error = std::get_if<SyntaxError>(&tokens)) return std::move(*error);
  Parsed<Condition> parsed = Parser(text, std::get<std::vector<Token>>(tokens)).run();
  if (const auto* condition = std::get_if<Condition>(&parsed)) {
    if (auto error = share_against_number(*condition, [](const Expression&) { return false; })) {
      return std::move(*error);
    }
  }
  return parsed;
}

}  // namespace rules
