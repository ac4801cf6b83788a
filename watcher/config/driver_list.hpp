#pragma once

#include <span>
#include <string>

#include "probes/key.hpp"
#include "watcher/config/table_reader.hpp"

namespace watcher {

// Several drivers of one service: driver = ["compose", "http"], with [service.NAME.compose] and [service.NAME.http].

// Whether `driver` is meant so: an array, or tables that name them.
bool names_several_drivers(const TableReader& reader);
// False when one of them is not known; all that is wrong is reported.
bool read_driver_list(TableReader& reader, std::span<const probes::Key> service_keys, DriverSection& out);
// Tables of drivers beside a `driver` that is not an array: true when there is one, which is reported. `kind` is that
// of `driver`, nullptr: it has none.
bool refuse_tables_of_drivers(TableReader& reader, const probes::Variety* kind);

// As TOML: ["compose", "http"].
std::string words_of(const DriverChain& chain);

// Of one driver.
// `given` is what its keys have to agree with: the reader, or more.
void become_driver(TableReader& reader, const probes::Variety& kind, probes::Given& given, DriverKind& out);
std::string implied_dir_of(const DriverKind& driver);  // where its own keys say the folder; empty: they do not
std::string driver_dir(const DriverKind& driver);
void set_dir(DriverKind& driver, const std::string& dir);

}  // namespace watcher
