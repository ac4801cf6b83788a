#pragma once

#include <span>
#include <string>

#include "probes/key.hpp"
#include "watcher/config/table_reader.hpp"
#include "watcher/config/toml_writer.hpp"

namespace watcher {

// What of a service can be told from its driver alone.
struct DriverAbilities {
  bool identifies = false;
  bool switches = false;
  bool resumes = false;  // a switch that was broken off may be done again
};
DriverAbilities abilities_of(const DriverKind& driver);

// Reads `driver` and its keys: one word, whose keys stand in the service's table, or an array, each of which has a
// table of its own. `service_keys` are the service's other keys. False when nobody knows what the driver is to be: then
// nothing else of the service is looked at.
bool read_driver(TableReader& reader, std::span<const probes::Key> service_keys, DriverSection& out);

// In the service's table.
void write_driver(TomlWriter& out, const DriverKind& driver);
// What stands in tables of its own, behind that.
void write_driver_tables(TomlWriter& out, const std::string& service, const DriverKind& driver);

}  // namespace watcher
