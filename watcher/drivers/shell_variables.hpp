#pragma once

#include <string>
#include <string_view>

namespace watcher {

// A script of a shell with the values of those variables that it sets once and to a plain word, where it uses them:
// `TOOL=/opt/x; $TOOL` becomes `TOOL=/opt/x; /opt/x`. What it sets twice, reads, or loops over stays as it is.
std::string with_variables(std::string_view script);

}  // namespace watcher
