#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rules/base/time.hpp"
#include "rules/conditions/condition.hpp"
#include "rules/incidents/plan.hpp"

namespace probes {

// A key of the configuration stands once, as a row: where its value lies in the struct that it fills, how it is
// written, which values are right, what it means in a sentence. Reading the file, writing it out, the help, the
// completion and the reference are made from these rows. They are constants: nothing here runs before main().

// How a value is written; watcher/config/kinds.cpp has a row for each.
enum class Kind {
  string,
  pattern,    // RE2
  path,       // a relative one starts at the configuration's folder
  folder,     // a path; the commands of the same table start there
  flag,       // true or false
  integer,    // from `least` to `most`
  number,     // a finite one
  share,      // "90%" or 0.9
  size,       // "8MiB"
  duration,   // "5m", at least `shortest`
  choice,     // one of `words`
  choices,    // an array of `words`
  strings,    // an array
  argv,       // a command and its arguments
  commands,   // an argv, or an array of them
  text,       // a string, or a secret's { file = ... } or { env = ... }
  address,    // a text that is an http:// or https:// address
  addresses,  // an array of them
  headers,    // name = text
  texts,      // name = text
  map,        // name = string
  fields,     // field = JSON pointer
  checks,     // field = { JSON pointer = value }
  object,     // JSON pointer = value
  statuses,   // 200, "200-299", an array of these
  body,       // a text, or { json = { ... } }
  condition,
  table,   // with `keys` of its own
  tables,  // an array of tables with `keys`
  group,   // no key: `keys` that stand in this table and fill an inner struct
};

// A value on its way between the file and the struct; monostate is one that is not written.
using Value =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, rules::Duration, rules::Text,
                 rules::Condition, std::vector<std::string>, std::vector<std::vector<std::string>>,
                 std::vector<rules::Text>, std::map<std::string, std::string>, std::map<std::string, rules::Text>,
                 std::map<std::string, std::map<std::string, std::string>>, std::vector<std::pair<int, int>>>;

// A word that a key may be set to.
struct Word {
  std::string_view word;
  int value = 0;
  std::string_view doc;
};

// What a table of the file had, for what several of its keys have to agree on.
class Given {
 public:
  virtual ~Given() = default;
  virtual bool has(std::string_view key) const = 0;
  virtual void error(std::string_view key, const std::string& what) = 0;  // at the key's value
  virtual void missing(std::string_view key, const std::string& what) = 0;
  virtual void error(const std::string& what) = 0;  // at the table
};

// A kind of value that one key alone has; whoever reads the configuration says what it is.
struct Own;

struct Key {
  std::string_view name;
  Kind kind = Kind::string;
  std::string_view doc;  // one sentence
  Value (*get)(const void* object) = nullptr;
  void (*set)(void* object, Value value) = nullptr;

  std::int64_t least = 0;
  std::int64_t most = 0;
  rules::Duration shortest{};
  std::span<const Word> words{};
  std::string (*wrong)(const std::string& value) = nullptr;  // what is wrong with a string; empty: nothing

  void* (*inside)(void* object) = nullptr;  // table: the struct that its keys fill
  const void* (*look)(const void* object) = nullptr;
  std::span<const Key> keys{};
  void (*settle)(void* object, Given& given) = nullptr;  // after its keys: what they imply, what they must agree on
  void* (*append)(void* object) = nullptr;               // tables: one more struct
  std::vector<const void*> (*each)(const void* object) = nullptr;

  const Own* own = nullptr;      // not null: `kind` is of no account
  std::string_view implied{};    // what holds when it is not written, where the struct's own default does not say it
  std::string_view missing{};    // not empty: it must be there; what to write
  bool template_of_url = false;  // an address with {names} that are filled in later is not looked at
  bool even_empty = false;       // is written out though it is empty
  bool is_told = false;          // a text that is no secret, though it may come from a file
  bool secret_path = false;      // of an address: what comes after the host is a secret
  bool later = false;            // a key of the contract that this version does not have

  template <class Part>
  constexpr Key with(Part Key::*part, Part value) const {
    Key out = *this;
    out.*part = value;
    return out;
  }
  // Rows are made by the functions below and refined by these.
  constexpr Key at_least(rules::Duration value) const { return with(&Key::shortest, value); }
  constexpr Key when_left_out(std::string_view text) const { return with(&Key::implied, text); }
  constexpr Key between(std::int64_t low, std::int64_t high) const {
    return with(&Key::least, low).with(&Key::most, high);
  }
  constexpr Key required(std::string_view text) const { return with(&Key::missing, text); }
  constexpr Key checked(std::string (*check)(const std::string&)) const { return with(&Key::wrong, check); }
  constexpr Key settled(void (*hook)(void*, Given&)) const { return with(&Key::settle, hook); }
  constexpr Key with_names() const { return with(&Key::template_of_url, true); }
  constexpr Key told() const { return with(&Key::is_told, true); }
  constexpr Key with_secret_path() const { return with(&Key::secret_path, true); }
  constexpr Key also_empty() const { return with(&Key::even_empty, true); }
};

// One of the things that a table can be, such as a probe of type tcp: its word, its own keys.
struct Variety {
  std::string_view word;
  std::string_view doc;
  std::span<const Key> keys{};
  void (*settle)(void* object, Given& given) = nullptr;  // of the struct that the keys fill
  void* (*become)(void* variant) = nullptr;              // null: a word of the contract that is not in this version
  const void* (*held)(const void* variant) = nullptr;    // null when it holds something else

  bool later() const { return become == nullptr; }
};

constexpr Variety later_variety(std::string_view word) { return {word, {}, {}, nullptr, nullptr, nullptr}; }

}  // namespace probes
