#pragma once

#include <string>
#include <vector>

#include "watcher/config/config.hpp"

// Helpers of the configuration's tests.

// The text of tests/watcher/config/NAME.
std::string config_text(const std::string& name);
// A text, loaded as if it lay in tests/watcher/config/.
watcher::Loaded load_text(const std::string& text, watcher::Secrets secrets = watcher::Secrets::hidden);
// Findings as LINE:COLUMN: level: what, one a line.
std::string findings_text(const watcher::Loaded& loaded);
// Findings of a file with a service, as every file has to have: one is added where there is none. There are either
// findings or a configuration.
std::string findings_beside_service(const std::string& text);
// A configuration that must load; fails the test with its findings otherwise.
watcher::Config loaded(const std::string& text, watcher::Secrets secrets = watcher::Secrets::hidden);
// A service with an application's page, and whatever more is given.
std::string with_service(const std::string& more);
