#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rules {

// What stands in the place of a secret.
constexpr std::string_view redacted = "<redacted>";

// Passwords in addresses: "hunter2" of https://ada:hunter2@example.org/. Where an address stands in the text does not
// matter; one without a password has none.
std::vector<std::string> passwords_in(const std::string& text);

// The text with these as <redacted>.
std::string without_passwords(std::string text);

}  // namespace rules
