#include "watcher/config/sections.hpp"

namespace watcher {

std::vector<NamedTable> named_tables(TableReader& root, std::string_view kind, bool (*is_name)(std::string_view),
                                     std::string_view pattern) {
  std::vector<NamedTable> out;
  const toml::table* const tables = root.subtable(kind);
  if (tables == nullptr) return out;
  for (const auto& [key, value] : *tables) {
    const std::string name(key.str());
    const toml::source_position at = key.source().begin;
    const Place place{static_cast<std::size_t>(at.line), static_cast<std::size_t>(at.column)};
    const std::string header = "[" + std::string(kind) + "." + name + "]";
    if (!is_name(name)) {
      root.loading().findings.error(place, header + ": the name \"" + name + "\" must match " + std::string(pattern));
    }
    if (const toml::table* table = value.as_table()) {
      out.push_back({name, table});
    } else {
      root.loading().findings.error(place, std::string(kind) + "." + name + ": expected a table " + header +
                                               ", found " + std::string(type_name(value)));
    }
  }
  return out;
}

}  // namespace watcher
