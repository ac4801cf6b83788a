#pragma once

#include <string>

#include "probes/key.hpp"
#include "rules/incidents/plan.hpp"
#include "watcher/config/table_reader.hpp"

namespace watcher {

// "POST http://...": a method, blanks, an address. Without a method it is POST. What is wrong is reported; in the
// address of a row that has names in braces they are taken for words.
void read_http_line(TableReader& reader, const probes::Key& key, rules::HttpStep& out);
// The same as TOML, without what is secret; empty: there is none.
std::string http_line_toml(const rules::HttpStep& step);

inline constexpr std::string_view http_line_type = "a method and an address, may be secret";

}  // namespace watcher
