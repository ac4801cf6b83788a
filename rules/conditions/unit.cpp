#include "rules/conditions/unit.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace rules {

namespace {

struct Unit {
  std::string_view name;
  double size;  // in the base unit
};

constexpr std::array<Unit, 9> units{{{"%", 0.01},
                                     {"ms", 0.001},
                                     {"s", 1},
                                     {"m", 60},
                                     {"h", 3600},
                                     {"d", 86400},
                                     {"KiB", 1024.0},
                                     {"MiB", 1048576.0},
                                     {"GiB", 1073741824.0}}};

const Unit* unit_named(std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

std::string_view unit_of(const Arithmetic& computed) {
  const std::string_view left = unit_of(*computed.left);
  const std::string_view right = unit_of(*computed.right);
  switch (computed.op) {
    case ArithmeticOp::add:
    case ArithmeticOp::subtract:
      return left.empty() ? right : left;
    case ArithmeticOp::multiply:
      if (left.empty() || right.empty()) return left.empty() ? right : left;
      return {};
    case ArithmeticOp::divide:
      return right.empty() ? left : std::string_view();
  }
  return {};
}

bool is_signal(const Expression& expression, const SignalName& signal) {
  const auto* const reference = std::get_if<SignalRef>(&expression.node);
  return reference != nullptr && reference->signal == signal;
}

std::string_view unit_in(const ConditionNode& node, const SignalName& signal);

std::string_view unit_in(const std::vector<ConditionPtr>& terms, const SignalName& signal) {
  for (const ConditionPtr& term : terms) {
    if (const std::string_view unit = unit_in(*term, signal); !unit.empty()) return unit;
  }
  return {};
}

std::string_view unit_in(const ConditionNode& node, const SignalName& signal) {
  if (const auto* all = std::get_if<And>(&node.node)) return unit_in(all->terms, signal);
  if (const auto* any = std::get_if<Or>(&node.node)) return unit_in(any->terms, signal);
  if (const auto* negated = std::get_if<Not>(&node.node)) return unit_in(*negated->of, signal);
  const auto& compare = std::get<Compare>(node.node);
  const bool compared = is_signal(*compare.left, signal) || is_signal(*compare.right, signal);
  return compared ? compare.unit : std::string_view();
}

constexpr int no_digits = 0;

std::string fixed(double value, int decimals) {
  std::array<char, 400> text{};  // the largest double has 309 digits
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string four_digits(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

std::string plain(double value) {
  constexpr double in_full_max = 1e6;
  const bool whole = value == std::floor(value) && std::fabs(value) < in_full_max;
  return whole ? fixed(value, no_digits) : four_digits(value);
}

}  // namespace

std::string_view unit_written(std::string_view literal) {
  const std::size_t begin = literal.find_first_not_of("0123456789.");
  if (begin == std::string_view::npos) return {};
  const std::size_t end = literal.find_first_of("0123456789", begin);
  const Unit* const unit = unit_named(literal.substr(begin, end - begin));
  return unit == nullptr ? std::string_view() : unit->name;
}

std::string_view unit_of(const Expression& threshold) {
  if (const auto* literal = std::get_if<Literal>(&threshold.node)) return literal->unit;
  if (const auto* computed = std::get_if<Arithmetic>(&threshold.node)) return unit_of(*computed);
  if (const auto* negated = std::get_if<Negation>(&threshold.node)) return unit_of(*negated->of);
  return {};
}

std::string_view unit_of(const Condition& condition, const SignalName& signal) {
  return condition.empty() ? std::string_view() : unit_in(condition.root(), signal);
}

std::string in_unit(double value, std::string_view unit) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  const Unit* const known = unit_named(unit);
  if (known == nullptr) return plain(value);
  const double number = value / known->size;
  const double size = std::fabs(number);
  constexpr double in_full_min = 9999.5;  // where four digits are not all of it
  constexpr double decimal_max = 99.995;  // beyond that a decimal says nothing
  constexpr double tiny = 1e-4;           // where the short form has an exponent
  constexpr int tiny_decimals = 6;
  std::string out = four_digits(number);
  if (size >= in_full_min) out = fixed(number, no_digits);
  if (size > 0 && size < tiny) out = fixed(number, tiny_decimals);
  if (size < decimal_max && out.find('.') == std::string::npos) out += ".0";
  return out + " " + std::string(known->name);
}

}  // namespace rules
