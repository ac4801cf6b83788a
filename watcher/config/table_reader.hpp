#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/key.hpp"
#include "watcher/config/loading.hpp"

namespace watcher {

Place place_of(const toml::node& node);

// "a string", "an integer", ...: what a person sees in the file.
std::string_view type_name(const toml::node& node);

// The value as JSON text, to compare with what a target answers.
std::string json_text(Loading& loading, const toml::node& node, const std::string& owner);
// A JSON object to send; { file = ... } and { env = ... } inside are read, and make it secret.
Text json_body(Loading& loading, const toml::table& body, const std::string& owner);

// A byte 0 ends a string for whoever takes it from us: an argument, a variable, a path would be another one.
bool refuse_nul(Loading& loading, const toml::node& node, const std::string& text, const std::string& owner);

// Reads one table. Every question makes its key known; finish() reports the keys that nobody asked for.
// Answers are nullopt when the key is absent or its value is wrong, which is reported.
class TableReader final : public probes::Given {
 public:
  // `owner` is what findings call the table: "probe.app".
  TableReader(Loading& loading, const toml::table& table, std::string owner);
  // A table that is left out, with the place that findings about it are to name.
  TableReader(Loading& loading, const toml::table& none, std::string owner, Place place)
      : TableReader(loading, none, std::move(owner)) {
    place_ = place;
  }

  const std::string& owner() const { return owner_; }
  std::string owner(std::string_view key) const { return owner_ + "." + std::string(key); }
  Loading& loading() const { return loading_; }
  const toml::table& table() const { return table_; }

  bool has(std::string_view key) const override { return table_.contains(key); }
  const toml::node* node(std::string_view key);
  std::optional<std::string> string(std::string_view key);
  std::optional<Written> written(std::string_view key);
  std::optional<Text> text(std::string_view key);  // may be { file = ... } or { env = ... }
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<double> number(std::string_view key);
  std::optional<double> share(std::string_view key);  // "90%" or 0.9
  std::optional<rules::Duration> duration(std::string_view key, rules::Duration least = rules::Duration::zero());
  std::optional<std::int64_t> size(std::string_view key);
  std::optional<std::string> path(std::string_view key);
  std::optional<std::vector<std::string>> strings(std::string_view key);
  // A string, or an array of them, none of them empty.
  std::vector<std::string> one_or_several(std::string_view key);
  // A command and its arguments. A relative command such as ./build starts at `dir`, where it is run; at the
  // configuration's folder when `dir` is empty.
  std::optional<std::vector<std::string>> argv(std::string_view key, const std::string& dir);
  // One, or an array of several, each an argv.
  std::optional<std::vector<std::vector<std::string>>> commands(std::string_view key, const std::string& dir);
  std::optional<std::map<std::string, std::string>> string_map(std::string_view key);
  std::optional<std::map<std::string, Text>> text_map(std::string_view key);
  rules::Condition condition(std::string_view key);  // empty when absent or wrong
  const toml::table* subtable(std::string_view key);
  std::vector<const toml::table*> subtables(std::string_view key);

  // One of the words; several of them, in an array.
  std::optional<std::string> word(std::string_view key, std::span<const probes::Word> words);
  std::optional<std::vector<std::string>> words(std::string_view key, std::span<const probes::Word> words);
  // What the table is to be. A word of the contract that this version does not have is refused as such.
  const probes::Variety* variety(std::string_view key, std::span<const probes::Variety> varieties);
  // Those of this version, to be told: "http, prometheus".
  static std::string words_of(std::span<const probes::Variety> varieties);
  // What variety() would have returned for the word that was probably meant, when only one can have been.
  const probes::Variety* meant(std::string_view key, std::span<const probes::Variety> varieties) const;
  // Whether the key's value is, or is near, a word of the contract that this version does not have.
  bool is_later(std::string_view key, std::span<const probes::Variety> varieties) const;

  // Reads the keys into the struct that they fill: what is wrong is reported, what is absent is left as it was.
  void read(std::span<const probes::Key> keys, void* object);
  // The same and what the table as a whole has to hold; its other keys are unknown.
  void read_whole(std::span<const probes::Key> keys, void* object, void (*settle)(void*, probes::Given&) = nullptr);
  // The table's keys are known, though nobody reads them.
  void know(std::span<const probes::Key> keys);

  // Where the table's commands start; argv() needs it. Empty: the configuration's folder.
  void set_commands_dir(std::string dir) { commands_dir_ = std::move(dir); }
  const std::string& commands_dir() const { return commands_dir_; }

  Place place() const { return place_; }
  Place place(std::string_view key) const;      // of the value, or of the table when there is none
  Place key_place(std::string_view key) const;  // of the key itself
  void error(std::string_view key, const std::string& what) override;
  void error(const std::string& what) override;
  void missing(std::string_view key, const std::string& what) override;
  // A key of the contract that this version does not have.
  void refuse_later(std::string_view key);
  // The rest of the table is not looked at.
  void skip_rest() { skip_rest_ = true; }
  void finish();

 private:
  std::optional<std::string> string_of(const toml::node& node, const std::string& owner);
  std::optional<std::vector<std::string>> strings_of(const toml::node& node, const std::string& owner);
  std::optional<std::vector<std::string>> argv_of(const toml::node& node, const std::string& owner,
                                                  const std::string& dir);
  void wrong_type(const toml::node& node, const std::string& owner, std::string_view expected);
  void read(const probes::Key& key, void* object);
  void read_folders(std::span<const probes::Key> keys, void* object);
  void read_others(std::span<const probes::Key> keys, void* object);
  void read_tables(const probes::Key& key, void* object);
  void refuse_word(std::string_view key, const std::string& word, const std::vector<std::string>& known);

  Loading& loading_;
  const toml::table& table_;
  std::string owner_;
  Place place_;
  std::vector<std::string> known_;
  std::vector<std::string> later_;  // keys of the contract that this version does not have
  std::string commands_dir_;
  bool skip_rest_ = false;
};

// A string, or { file = "PATH" } or { env = "NAME" }: then it is secret. Reports what cannot be read.
std::optional<Text> read_text(Loading& loading, const toml::node& node, const std::string& owner);

}  // namespace watcher
