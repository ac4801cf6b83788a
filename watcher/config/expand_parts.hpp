#pragma once

#include "watcher/config/toml_text.hpp"
#include "watcher/config/toml_writer.hpp"

namespace watcher {

void write_probe(TomlWriter& out, const probes::ProbeConfig& probe);
void write_service(TomlWriter& out, const rules::ServiceSpec& service, const DriverSection& driver);
void write_action(TomlWriter& out, const rules::ActionSpec& action);

}  // namespace watcher
