#pragma once

#include <toml++/toml.h>

#include "watcher/config/loading.hpp"
#include "watcher/config/table_reader.hpp"

namespace watcher {

// Each reads one kind of table into the configuration; the root's reader makes the kind known.
void read_watcher(Loading& loading, TableReader& root);
void read_probes(Loading& loading, TableReader& root);
void read_signals(Loading& loading, TableReader& root);
void read_rules(Loading& loading, TableReader& root);
void read_services(Loading& loading, TableReader& root);
void read_actions(Loading& loading, TableReader& root);
void read_notifiers(Loading& loading, TableReader& root);

// The named tables below `kind`, after their names were checked: [kind.NAME].
struct NamedTable {
  std::string name;
  const toml::table* table = nullptr;
};
std::vector<NamedTable> named_tables(TableReader& root, std::string_view kind, bool (*is_name)(std::string_view),
                                     std::string_view pattern);

// Read `expect` in the table, if it is there. `given` says whether anything was expected.
rules::Expectation read_expectation(TableReader& reader, bool& given);
// `body` or `body.json` with its content type.
void read_body(TableReader& reader, Text& body, std::string& content_type);

// `header`: names and values that would not be a header of HTTP are reported; a value is not shown, it may be a secret.
std::map<std::string, Text> read_headers(TableReader& reader);

// A pattern that is not RE2 is reported.
void check_pattern(TableReader& reader, std::string_view key, const std::string& pattern);
// A URL that is neither http nor https is reported.
void check_url(Loading& loading, Place place, const std::string& owner, const std::string& url);

// "deploy", "restart": what a driver or rule may call its severity or mode.
std::optional<rules::Severity> severity_named(std::string_view word);

// Interval and time-out of an implied probe, with the defaults.
probes::ProbeConfig probe_with_defaults(const std::string& name);

}  // namespace watcher
