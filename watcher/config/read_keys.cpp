#include <algorithm>

#include "watcher/config/kinds.hpp"
#include "watcher/config/literal_secrets.hpp"
#include "watcher/config/table_reader.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::Kind;
using probes::Variety;
using probes::Word;

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::vector<std::string> names_of(std::span<const Word> words) {
  std::vector<std::string> out;
  for (const Word& word : words) out.emplace_back(word.word);
  return out;
}

// Those of this version, or those that it does not have.
std::vector<std::string> names_of(std::span<const Variety> varieties, bool later) {
  std::vector<std::string> out;
  for (const Variety& variety : varieties) {
    if (variety.later() == later) out.emplace_back(variety.word);
  }
  return out;
}

const Variety* named(std::span<const Variety> varieties, std::string_view word) {
  for (const Variety& variety : varieties) {
    if (variety.word == word) return &variety;
  }
  return nullptr;
}

}  // namespace

void TableReader::refuse_word(std::string_view key, const std::string& word, const std::vector<std::string>& known) {
  error(key, "unknown \"" + word + "\"" + did_you_mean(word, known) + " (one of " + listed(known) + ")");
}

std::optional<std::string> TableReader::word(std::string_view key, std::span<const Word> words) {
  std::optional<std::string> given = string(key);
  const std::vector<std::string> known = names_of(words);
  if (!given || std::find(known.begin(), known.end(), *given) != known.end()) return given;
  refuse_word(key, *given, known);
  return std::nullopt;
}

std::optional<std::vector<std::string>> TableReader::words(std::string_view key, std::span<const Word> words) {
  const std::optional<std::vector<std::string>> given = strings(key);
  if (!given) return std::nullopt;
  const std::vector<std::string> known = names_of(words);
  std::vector<std::string> out;
  for (const std::string& one : *given) {
    if (std::find(known.begin(), known.end(), one) != known.end())
      out.push_back(one);
    else
      refuse_word(key, one, known);
  }
  return out;
}

const Variety* TableReader::variety(std::string_view key, std::span<const Variety> varieties) {
  const std::optional<std::string> word = string(key);
  if (!word) return nullptr;
  const Variety* const found = named(varieties, *word);
  if (found != nullptr && !found->later()) return found;
  const std::vector<std::string> known = names_of(varieties, false);
  if (found == nullptr) {
    refuse_word(key, *word, known);
    return nullptr;
  }
  loading_.findings.error(place(key), owner_ + ": " + std::string(key) + " \"" + *word +
                                          "\" is not in this version of rollbackd; it has " + listed(known));
  return nullptr;
}

std::string TableReader::words_of(std::span<const Variety> varieties) { return listed(names_of(varieties, false)); }

const Variety* TableReader::meant(std::string_view key, std::span<const Variety> varieties) const {
  const auto* const word = table_.get_as<std::string>(key);
  return word == nullptr ? nullptr : named(varieties, only_nearest(word->get(), names_of(varieties, false)));
}

bool TableReader::is_later(std::string_view key, std::span<const Variety> varieties) const {
  const auto* const word = table_.get_as<std::string>(key);
  return word != nullptr && !nearest(word->get(), names_of(varieties, true)).empty();
}

void TableReader::read(std::span<const Key> keys, void* object) {
  read_folders(keys, object);
  read_others(keys, object);
}

// The commands of a table start in its folder, wherever that stands in the table.
void TableReader::read_folders(std::span<const Key> keys, void* object) {
  for (const Key& key : keys) {
    if (key.kind == Kind::group) read_folders(key.keys, key.inside(object));
    if (key.kind == Kind::folder) read(key, object);
  }
}

void TableReader::read_others(std::span<const Key> keys, void* object) {
  for (const Key& key : keys) {
    if (key.later)
      later_.emplace_back(key.name);
    else if (key.kind == Kind::group)
      read_others(key.keys, key.inside(object));
    else if (key.kind != Kind::folder)
      read(key, object);
  }
}

void TableReader::read(const Key& key, void* object) {
  if (!key.missing.empty() && !has(key.name)) return missing(key.name, std::string(key.missing));
  if (key.own != nullptr) {
    known_.emplace_back(key.name);
    return key.own->read(*this, key, object);
  }
  if (key.kind == Kind::tables) return read_tables(key, object);
  if (key.kind == Kind::table) {
    const toml::table* const table = subtable(key.name);
    if (table == nullptr) return;
    TableReader inner(loading_, *table, owner(key.name));
    return inner.read_whole(key.keys, key.inside(object), key.settle);
  }
  std::optional<probes::Value> value = row_of(key.kind).read(*this, key);
  if (!value) return;
  if (loading_.secrets == Secrets::hidden) loading_.keep_secrets(mark_secrets(key, *value), owner(key.name));
  key.set(object, *std::move(value));
}

void TableReader::read_tables(const Key& key, void* object) {
  for (const toml::table* table : subtables(key.name)) {
    TableReader inner(loading_, *table, owner(key.name));
    inner.read_whole(key.keys, key.append(object), key.settle);
  }
}

void TableReader::read_whole(std::span<const Key> keys, void* object, void (*settle)(void*, probes::Given&)) {
  read(keys, object);
  if (settle != nullptr) settle(object, *this);
  finish();
}

void TableReader::know(std::span<const Key> keys) {
  for (const Key& key : keys) {
    if (key.kind == Kind::group)
      know(key.keys);
    else
      known_.emplace_back(key.name);
  }
}

std::vector<std::string> TableReader::one_or_several(std::string_view key) {
  const toml::node* const value = table_.get(key);
  std::vector<std::string> out;
  if (value != nullptr && value->is_array()) {
    out = strings(key).value_or(std::vector<std::string>());
    if (value->as_array()->empty()) error(key, "is empty; name one, or leave it out");
  } else if (const std::optional<std::string> one = string(key)) {
    out.push_back(*one);
  }
  for (const std::string& one : out) {
    if (one.empty()) error(key, "has an empty name");
  }
  return out;
}

}  // namespace watcher
