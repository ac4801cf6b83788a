#include "watcher/config/service_driver.hpp"

#include <algorithm>

#include "watcher/config/driver_list.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::Variety;

struct Abilities {
  DriverAbilities operator()(std::monostate) const { return {}; }
  DriverAbilities operator()(const auto& driver) const {
    return {driver.identifies(), driver.switches(), driver.resumes()};
  }
};

const Variety& command_driver() { return driver_kinds().front(); }

// Without a `driver` the commands say that it is one of commands; without these there is none, but they are known.
const Variety* driver_of(TableReader& reader) {
  if (reader.has("driver")) {
    const Variety* const named = reader.variety("driver", driver_kinds());
    return named != nullptr ? named : reader.meant("driver", driver_kinds());
  }
  reader.node("driver");
  const auto given = [&reader](const Key& key) { return reader.has(key.name); };
  const Variety& command = command_driver();
  if (std::any_of(command.keys.begin(), command.keys.end(), given)) return &command;
  reader.know(command.keys);
  return nullptr;
}

}  // namespace

DriverAbilities abilities_of(const DriverKind& driver) { return std::visit(Abilities(), driver); }

bool read_driver(TableReader& reader, std::span<const Key> service_keys, DriverSection& out) {
  if (names_several_drivers(reader)) return read_driver_list(reader, service_keys, out);
  const Variety* const kind = driver_of(reader);
  if (refuse_tables_of_drivers(reader, kind)) return false;
  if (kind == nullptr) return !reader.has("driver");
  become_driver(reader, *kind, reader, out.driver);
  const std::string implied = implied_dir_of(out.driver);
  if (!reader.has("dir") && !implied.empty()) out.dir = implied;
  set_dir(out.driver, out.dir);
  return true;
}

void write_driver(TomlWriter& out, const DriverKind& driver) {
  if (const Variety* const kind = held_by(&driver, driver_kinds())) {
    out.string("driver", kind->word);
    write_values(out, kind->keys, kind->held(&driver));
  }
  if (const auto* const chain = std::get_if<DriverChain>(&driver)) out.raw("driver", words_of(*chain));
}

void write_driver_tables(TomlWriter& out, const std::string& service, const DriverKind& driver) {
  const auto* const chain = std::get_if<DriverChain>(&driver);
  if (chain == nullptr) return;
  for (const DriverLink& link : chain->links) {
    const Variety& kind = *held_by(&link.kind, driver_kinds());
    out.section("[service." + service + "." + link.word + "]");
    out.string("dir", driver_dir(link.kind));
    write_values(out, kind.keys, kind.held(&link.kind));
  }
}

}  // namespace watcher
