#pragma once

#include <optional>
#include <vector>

#include "rules/signals/lexer.hpp"
#include "rules/signals/selector.hpp"

namespace rules {

// {label="value", ...}, when the next token is "{"; nothing is an empty list. A mistake is left in the reader.
std::vector<Matcher> read_matchers(TokenReader& reader);

// Whether a selector stands next.
bool begins_selector(const TokenReader& reader);

// name{label="value", ...} or {"name", label="value", ...}; a mistake is left in the reader.
Selector read_selector(TokenReader& reader);

}  // namespace rules
