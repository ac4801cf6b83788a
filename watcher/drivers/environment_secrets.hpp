#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// Appends what of an application's variable is a secret: the value of one that is called so (a PASSWORD, PASSWD, PASS,
// SECRET, TOKEN, KEY, CREDENTIAL, AUTH, DSN or WEBHOOK among the words of its name), and the password in an address
// (`postgres://u:X@db`).
// Not what is shorter than 6 bytes, of several lines, or a number: half of a log would be blacked out.
void take_secrets(std::string_view name, std::string_view value, std::vector<std::string>& out);
// The same of `NAME=value`.
void take_secrets(std::string_view variable, std::vector<std::string>& out);

}  // namespace watcher
