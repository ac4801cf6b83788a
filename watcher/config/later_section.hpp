#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/incidents/plan.hpp"
#include "watcher/config/table_reader.hpp"
#include "watcher/config/toml_writer.hpp"

namespace watcher {

// The tables of an action that say what is looked at when its incident is over.
std::vector<rules::LaterSpec> read_later_checks(TableReader& action, std::string_view key);
void write_later(TomlWriter& out, const std::string& header, const rules::LaterSpec& later);

}  // namespace watcher
