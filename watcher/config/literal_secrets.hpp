#pragma once

#include <string>
#include <vector>

#include "probes/key.hpp"

namespace watcher {

// A secret that stands in the file itself, instead of behind { file = "PATH" } or { env = "NAME" }, is one all the
// same: it is marked as secret when it is read, and written out as <redacted>.
//
// Which part of a value is secret, its kind says: all of a text; in an address the values of ?token= and the like, and
// for a row that says so (Key::secret_path) everything after the host, as paths of webhooks are keys to them, unless it
// is of short words (/hooks/rollbackd); headers and variables whose names or values sound like one (Authorization,
// API_KEY, a password in an address); the same in the members of a body; in a command what rules::secrets_in_command
// finds.

// Marks what is secret of the value of a key. Returns the secrets: nothing that is told may have them in it.
std::vector<std::string> mark_secrets(const probes::Key& key, probes::Value& value);
// The same of an address that has no row of its own.
std::vector<std::string> mark_secrets_of_address(rules::Text& address);

}  // namespace watcher
