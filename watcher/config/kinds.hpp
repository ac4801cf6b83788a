#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "probes/key.hpp"
#include "watcher/config/table_reader.hpp"
#include "watcher/config/toml_writer.hpp"

namespace probes {

// A kind of value that one key alone has.
struct Own {
  std::string_view type;     // what the reference calls it
  std::string_view example;  // of a value, as TOML
  void (*read)(watcher::TableReader& reader, const Key& key, void* object) = nullptr;
  std::string (*toml)(const void* object) = nullptr;  // empty: not written; null: it is written out as other keys
};

}  // namespace probes

namespace watcher {

// How each kind of value is read from TOML and written as TOML.
struct KindRow {
  probes::Kind kind;
  std::string_view type;     // what the reference calls it
  std::string_view example;  // of a value, as TOML
  std::optional<probes::Value> (*read)(TableReader& reader, const probes::Key& key) = nullptr;
  std::string (*toml)(const probes::Value& value) = nullptr;  // empty when the value is
};

const KindRow& row_of(probes::Kind kind);

// A row whose kind of value is its own.
constexpr probes::Key own_key(std::string_view name, const probes::Own& own, std::string_view doc) {
  probes::Key out;
  out.name = name;
  out.own = &own;
  out.doc = doc;
  return out;
}

// Writes the values of an object, `prefix` before each key. Arrays of tables are left to write_tables().
void write_values(TomlWriter& out, std::span<const probes::Key> keys, const void* object,
                  const std::string& prefix = {});
// Writes the arrays of tables in a table called `owner`: [[owner.step]].
void write_tables(TomlWriter& out, const std::string& owner, std::span<const probes::Key> keys, const void* object);

// The words of the table that the variant holds; nullptr when it holds none of them.
const probes::Variety* held_by(const void* variant, std::span<const probes::Variety> varieties);

}  // namespace watcher
