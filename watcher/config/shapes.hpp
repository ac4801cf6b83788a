#pragma once

#include "probes/key.hpp"
#include "watcher/config/table_reader.hpp"

namespace watcher {

// Values that are tables or arrays in TOML. What is wrong in them is reported; nullopt when the key is absent.
std::optional<probes::Value> read_addresses(TableReader& reader, const probes::Key& key);
std::optional<probes::Value> read_fields(TableReader& reader, const probes::Key& key);
std::optional<probes::Value> read_checks(TableReader& reader, const probes::Key& key);
std::optional<probes::Value> read_object(TableReader& reader, const probes::Key& key);
std::optional<probes::Value> read_statuses(TableReader& reader, const probes::Key& key);
std::optional<probes::Value> read_body(TableReader& reader, const probes::Key& key);
// Names and values that would not be a header of HTTP are reported; a value is not shown, it may be a secret.
std::optional<std::map<std::string, Text>> read_headers(TableReader& reader, std::string_view key);

// A pattern that is not RE2 is reported.
void check_pattern(TableReader& reader, std::string_view key, const std::string& pattern);
// A URL that is neither http nor https is reported.
void check_url(Loading& loading, Place place, const std::string& owner, const std::string& url);
// The same of a text; where it came from is named when it is secret.
void check_text_url(TableReader& reader, Place place, const std::string& owner, const Text& url);

}  // namespace watcher
