#pragma once

#include <string>
#include <string_view>

namespace rules {

// Whether what has that name is usually kept to oneself: password, API_KEY, Authorization, ... For the names of
// headers, of members and of what stands in a query.
bool sounds_secret(std::string_view name);
// The same, more strictly, of what has that name wherever it stands: an option, a variable. One that names a file
// (--token-file) or says no (--no-password) is none.
bool is_secret_name(std::string_view name);

// Letters, digits and - _ . alone.
bool is_name(std::string_view text);
std::string lower(std::string_view text);

}  // namespace rules
