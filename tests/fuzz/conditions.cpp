#include <cstdint>
#include <string_view>
#include <variant>

#include "require.hpp"
#include "rules/conditions/condition.hpp"
#include "rules/signals/signal_spec.hpp"

// Conditions, selectors and PromQL expressions, from people: either they are read, or the mistake has a place in the
// text; and what was read, written out, reads back as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto condition = rules::parse_condition(text);
  if (const auto* error = std::get_if<rules::SyntaxError>(&condition)) {
    require(error->offset <= size && !error->what.empty(), "a mistake has its place and a text");
  } else {
    const auto& parsed = std::get<rules::Condition>(condition);
    for (const auto& reference : parsed.references()) require(reference.offset < size, "a reference has its place");
    const auto again = rules::parse_condition(parsed.text());
    require(std::holds_alternative<rules::Condition>(again), "a condition keeps its text");
  }
  const auto selector = rules::parse_selector(text);
  if (const auto* error = std::get_if<rules::SyntaxError>(&selector)) {
    require(error->offset <= size && !error->what.empty(), "a mistake has its place and a text");
  } else {
    const auto& parsed = std::get<rules::Selector>(selector);
    const auto again = rules::parse_selector(to_string(parsed));
    require(std::holds_alternative<rules::Selector>(again) && std::get<rules::Selector>(again) == parsed,
            "a selector reads back as the same");
  }
  const auto expression = rules::parse_signal_expression(text);
  if (const auto* error = std::get_if<rules::SyntaxError>(&expression)) {
    require(error->offset <= size && !error->what.empty(), "a mistake has its place and a text");
  } else {
    require(!selectors_of(std::get<rules::ExpressionOf>(expression)).empty(), "an expression reads series");
  }
  return 0;
}
