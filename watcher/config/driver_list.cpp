#include "watcher/config/driver_list.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "watcher/config/kinds.hpp"
#include "watcher/config/toml_text.hpp"
#include "watcher/config/values.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::Kind;
using probes::Variety;

struct ImpliedDir {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(const auto& driver) const { return driver.implied_dir(); }
};
struct Dir {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(const auto& driver) const { return driver.dir; }
};
struct SetDir {
  const std::string& dir;
  void operator()(std::monostate) const {}
  void operator()(auto& driver) const { driver.dir = dir; }
};
struct Switches {
  bool operator()(std::monostate) const { return false; }
  bool operator()(const auto& driver) const { return driver.switches(); }
};

constexpr std::string_view how_to_write =
    "write driver = [\"compose\", \"http\"], the fastest first, and the keys of each in a table of its own: ";

std::string table_of(const TableReader& reader, std::string_view word) {
  return "[" + reader.owner() + "." + std::string(word) + "]";
}

const Variety* kind_called(std::string_view word) {
  for (const Variety& kind : driver_kinds()) {
    if (kind.word == word) return &kind;
  }
  return nullptr;
}

bool has_key(std::span<const Key> keys, std::string_view name) {
  return std::any_of(keys.begin(), keys.end(), [&](const Key& key) {
    return key.kind == Kind::group ? has_key(key.keys, name) : key.name == name;
  });
}

// What it cannot do without, for people.
std::string required_of(const Variety& kind) {
  std::string out;
  for (const Key& key : kind.keys) {
    if (!key.missing.empty()) out += (out.empty() ? "" : ", ") + std::string(key.name);
  }
  return out;
}

// One of several drivers has its folder from the service where it says none itself, and commands are given the names
// of another one that says what runs.
class BesideOthers final : public probes::Given {
 public:
  BesideOthers(TableReader& own, const TableReader& service, bool is_named)
      : own_(own), service_(service), is_named_(is_named) {}
  bool has(std::string_view key) const override {
    return own_.has(key) || (key == "dir" && service_.has(key)) || (key == "identify" && is_named_);
  }
  void error(std::string_view key, const std::string& what) override { own_.error(key, what); }
  void missing(std::string_view key, const std::string& what) override { own_.missing(key, what); }
  void error(const std::string& what) override { own_.error(what); }

 private:
  TableReader& own_;
  const TableReader& service_;
  bool is_named_;
};

// The drivers that `driver` names, as far as it can be understood.
class List {
 public:
  List(TableReader& reader, std::span<const Key> service_keys) : reader_(reader), service_keys_(service_keys) {}

  bool read(DriverSection& out);

 private:
  bool read_words();
  void add(const toml::node& node);
  void refuse(const toml::node& at, const std::string& what) {
    reader_.loading().findings.error(place_of(at), reader_.owner("driver") + ": " + what);
    is_known_ = false;
  }
  void refuse_keys_of_one();
  void refuse_others();
  void read_link(const Variety& kind, DriverSection& section, DriverChain& chain, std::string& steps_dir);
  void refuse_service_keys(TableReader& own);
  void look_at(const TableReader& own, const DriverLink& link, bool is_last);

  TableReader& reader_;
  std::span<const Key> service_keys_;
  std::vector<const Variety*> kinds_;
  bool is_known_ = true;
};

void List::add(const toml::node& node) {
  const auto* const text = node.as_string();
  if (text == nullptr) return refuse(node, std::string(how_to_write) + table_of(reader_, "compose"));
  std::vector<std::string> known;
  for (const Variety& kind : driver_kinds()) known.emplace_back(kind.word);
  const Variety* const kind = kind_called(text->get());
  if (kind == nullptr) {
    return refuse(node, "unknown \"" + text->get() + "\"" + did_you_mean(text->get(), known) + " (one of " +
                            TableReader::words_of(driver_kinds()) + ")");
  }
  if (std::find(kinds_.begin(), kinds_.end(), kind) != kinds_.end())
    return refuse(node, "\"" + text->get() + "\" is there twice, and has one table; name each once");
  kinds_.push_back(kind);
}

bool List::read_words() {
  const toml::node& node = *reader_.node("driver");
  const toml::array* const array = node.as_array();
  const bool is_list = array != nullptr && !array->is_array_of_tables();
  if (!is_list) {
    refuse(node, std::string(how_to_write) + table_of(reader_, "compose") + ", " + table_of(reader_, "http"));
    return false;
  }
  if (array->empty()) refuse(node, "is empty; name a driver, or leave it out");
  for (const toml::node& one : *array) add(one);
  return is_known_;
}

// Which of the drivers is meant nobody could say: some have keys of the same name.
void List::refuse_keys_of_one() {
  for (const auto& [name, value] : reader_.table()) {
    const std::string key(name.str());
    if (has_key(service_keys_, key) || key == "driver") continue;
    const bool is_table_of_one = kind_called(key) != nullptr && value.is_table();
    if (is_table_of_one) continue;
    std::string owners;
    std::string tables;
    for (const Variety* const kind : kinds_) {
      if (!has_key(kind->keys, key) && kind->word != key) continue;
      owners += (owners.empty() ? "" : " and ") + std::string(kind->word);
      tables += (tables.empty() ? "" : " or ") + table_of(reader_, kind->word);
    }
    if (owners.empty()) continue;
    reader_.error(key, "is a key of " + owners +
                           ": where a service has several drivers it stands in a table of its own; write it below " +
                           tables);
  }
}

// Tables and keys of drivers that are not named.
void List::refuse_others() {
  for (const Variety& kind : driver_kinds()) {
    if (std::find(kinds_.begin(), kinds_.end(), &kind) != kinds_.end()) continue;
    const std::string word(kind.word);
    if (reader_.has(word) && reader_.table().get(word)->is_table())
      reader_.error(
          word, "is the table of a driver that `driver` does not name; add \"" + word + "\" there, or leave it out");
  }
  for (const std::string_view key : {"identify", "switch", "rollback", "ready"}) {
    const bool is_named =
        std::any_of(kinds_.begin(), kinds_.end(), [&](const auto* one) { return has_key(one->keys, key); });
    if (reader_.has(key) && !is_named)
      reader_.error(key,
                    "is a key of command, which `driver` does not name; add \"command\" there and write it below " +
                        table_of(reader_, "command"));
  }
}

void List::refuse_service_keys(TableReader& own) {
  for (const auto& [name, value] : own.table()) {
    const std::string key(name.str());
    if (key != "dir" && has_key(service_keys_, key))
      own.error(key, "is the service's, for all of its drivers; write it below [" + reader_.owner() + "]");
  }
}

void List::look_at(const TableReader& own, const DriverLink& link, bool is_last) {
  if (!std::visit(Switches(), link.kind)) {
    reader_.loading().findings.error(own.place(), own.owner() + ": has no switch = [...]: it could never roll back");
    return;
  }
  const auto* const command = std::get_if<CommandDriver>(&link.kind);
  if (command != nullptr && command->ready.empty() && !is_last)
    reader_.loading().findings.warning(
        own.place(), own.owner() +
                         ": nobody can say when it could not switch, so that what follows it in `driver` would never "
                         "be gone to; add ready = [...], a command that exits with 0 while it could");
}

void List::read_link(const Variety& kind, DriverSection& section, DriverChain& chain, std::string& steps_dir) {
  static const toml::table none;
  const std::string word(kind.word);
  const bool is_there = reader_.has(word);
  // A key of that name is told already.
  if (is_there && !reader_.table().get(word)->is_table()) return;
  const toml::table* const table = is_there ? reader_.subtable(word) : &none;
  const std::string required = required_of(kind);
  if (!is_there && !required.empty()) {
    reader_.error("driver", "\"" + word + "\" has keys that must be there: write " + table_of(reader_, word) +
                                " with " + required);
    return;
  }
  TableReader own(reader_.loading(), *table, reader_.owner(word),
                  is_there ? place_of(*table) : reader_.place("driver"));
  const std::optional<std::string> dir = own.path("dir");
  own.set_commands_dir(dir ? *dir : reader_.commands_dir());
  DriverLink link;
  link.word = word;
  const bool is_named = kind.word == "command" && kinds_.size() > 1;
  BesideOthers given(own, reader_, is_named);
  become_driver(own, kind, given, link.kind);
  const std::string implied = implied_dir_of(link.kind);
  std::string place = dir ? *dir : reader_.has("dir") ? section.dir : implied;
  if (steps_dir.empty()) steps_dir = place;
  set_dir(link.kind, place.empty() ? section.dir : place);
  refuse_service_keys(own);
  own.finish();
  look_at(own, link, &kind == kinds_.back());
  chain.links.push_back(std::move(link));
}

bool List::read(DriverSection& out) {
  if (!read_words()) return false;
  refuse_keys_of_one();
  refuse_others();
  DriverChain chain;
  std::string steps_dir;
  for (const Variety* const kind : kinds_) read_link(*kind, out, chain, steps_dir);
  if (chain.links.size() != kinds_.size()) return false;
  if (!steps_dir.empty()) out.dir = steps_dir;
  chain.dir = out.dir;
  if (chain.links.size() == 1)
    out.driver = std::move(chain.links.front().kind);
  else
    out.driver = std::move(chain);
  return true;
}

}  // namespace

bool names_several_drivers(const TableReader& reader) {
  const toml::node* const node = reader.table().get("driver");
  if (node == nullptr) return false;
  const auto* const text = node->as_string();
  return text == nullptr ? node->is_array() || node->is_table() : text->get().find_first_of(", +") != std::string::npos;
}

bool read_driver_list(TableReader& reader, std::span<const Key> service_keys, DriverSection& out) {
  return List(reader, service_keys).read(out);
}

bool refuse_tables_of_drivers(TableReader& reader, const Variety* kind) {
  bool refused = false;
  for (const Variety& other : driver_kinds()) {
    const std::string word(other.word);
    if (!reader.has(word) || !reader.table().get(word)->is_table()) continue;
    refused = true;
    if (kind == nullptr) {
      reader.error(word, "is a driver's table, and no `driver` names it; write driver = [\"" + word + "\"]");
    } else if (kind == &other) {
      reader.error(word, "is a table of driver \"" + word + "\", whose keys stand in [" + reader.owner() +
                             "] itself; write them there, or driver = [\"" + word + "\"]");
    } else {
      reader.error(word, "is the table of another driver; write driver = [\"" + std::string(kind->word) + "\", \"" +
                             word + "\"], the faster first, and the keys of each in a table of its own");
    }
  }
  return refused;
}

std::string words_of(const DriverChain& chain) {
  std::string out;
  for (const DriverLink& link : chain.links) out += (out.empty() ? "[" : ", ") + toml_string(link.word);
  return out + "]";
}

void become_driver(TableReader& reader, const Variety& kind, probes::Given& given, DriverKind& out) {
  void* const driver = kind.become(&out);
  reader.read(kind.keys, driver);
  if (kind.settle != nullptr) kind.settle(driver, given);
}

std::string implied_dir_of(const DriverKind& driver) { return std::visit(ImpliedDir(), driver); }
std::string driver_dir(const DriverKind& driver) { return std::visit(Dir(), driver); }
void set_dir(DriverKind& driver, const std::string& dir) { std::visit(SetDir{dir}, driver); }

}  // namespace watcher
