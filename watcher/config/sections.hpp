#pragma once

#include <toml++/toml.h>

#include "watcher/config/loading.hpp"
#include "watcher/config/table_reader.hpp"
#include "watcher/config/toml_writer.hpp"

namespace watcher {

// Each reads one kind of table into the configuration; the root's reader makes the kind known.
void read_watcher(Loading& loading, TableReader& root);
void read_probes(Loading& loading, TableReader& root);
void read_signals(Loading& loading, TableReader& root);
void read_rules(Loading& loading, TableReader& root);
void read_services(Loading& loading, TableReader& root);
void read_actions(Loading& loading, TableReader& root);
void read_notifiers(Loading& loading, TableReader& root);

// A window that a restart cut has to fill again: a rule of one is not blind for a deployment and its rollback alone.
void imply_blind_after(Config& config);

// The named tables below `kind`, after their names were checked: [kind.NAME].
struct NamedTable {
  std::string name;
  const toml::table* table = nullptr;
};
std::vector<NamedTable> named_tables(TableReader& root, std::string_view kind, bool (*is_name)(std::string_view),
                                     std::string_view pattern);

// The words of `severity`.
inline constexpr probes::Word severity_words[]{
    {"P0", static_cast<int>(rules::Severity::p0), "acts; the worst"},
    {"P1", static_cast<int>(rules::Severity::p1), "acts"},
    {"P2", static_cast<int>(rules::Severity::p2), "asks"},
    {"P3", static_cast<int>(rules::Severity::p3), "tells"},
};

// The keys of each kind of table, besides those of what it can be.
std::span<const probes::Key> watcher_keys();
std::span<const probes::Key> probe_keys();
std::span<const probes::Key> signal_keys();
std::span<const probes::Key> rule_keys();
std::span<const probes::Key> service_keys();  // of a struct that only its section knows
std::shared_ptr<void> fresh_service();
void* driver_of_service(void* service);
std::span<const probes::Key> action_keys();
std::span<const probes::Key> step_keys();
std::span<const probes::Key> later_keys();
std::span<const probes::Key> notifier_keys();

// Each writes a table of its kind.
void write_probe(TomlWriter& out, const probes::ProbeConfig& probe);
void write_service(TomlWriter& out, const rules::ServiceSpec& spec, const DriverSection& section);
void write_step(TomlWriter& out, const std::string& header, const rules::StepSpec& step);
void write_action(TomlWriter& out, const rules::ActionSpec& action);

// Interval and time-out of an implied probe, with the defaults.
probes::ProbeConfig probe_with_defaults(const std::string& name);

}  // namespace watcher
