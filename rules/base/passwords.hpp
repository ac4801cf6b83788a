#pragma once

#include <string>
#include <vector>

namespace rules {

// Passwords in addresses: "hunter2" of https://ada:hunter2@example.org/. Where an address stands in the text does not
// matter; one without a password has none.
std::vector<std::string> passwords_in(const std::string& text);

// The text with these as <redacted>.
std::string without_passwords(std::string text);

}  // namespace rules
