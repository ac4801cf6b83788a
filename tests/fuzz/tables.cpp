#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "configuration.hpp"
#include "decisions.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/schema.hpp"

// A configuration that is right, changed by the rows that say which keys there are: keys are set in its tables, to
// values of the right kind at their limits, now and then just beyond them or of another kind; tables come besides. What
// must hold is what holds for any text.

namespace {

using probes::Kind;
using watcher::KeyRow;

constexpr std::array<std::string_view, 4> table_names{"a", "web", "health", "b_2"};
constexpr std::array<std::string_view, 12> words{"\"\"",
                                                 "[]",
                                                 "{}",
                                                 "0",
                                                 "-1",
                                                 "1979-05-27",
                                                 "true",
                                                 "\"a\\u001bb\"",
                                                 "[[1]]",
                                                 "{ file = \"/nowhere\" }",
                                                 "{ env = \"HOME\" }",
                                                 "99999999999999999999"};
constexpr std::array<std::string_view, 16> conditions{"a > 5%",
                                                      "health.up == 0",
                                                      "a > 1 and not b_2 < 2",
                                                      "avg(health.duration, 5m) > 3 * baseline(a)",
                                                      "down",
                                                      "a > 3000ms or a < 1",
                                                      "restarts(health, 10m) > 3",
                                                      "health.x{l=\"y\"} >= 90%",
                                                      "memory > 90%",
                                                      "p95 > 3000ms for 5m",
                                                      "quantile(a, 0.95, 5m) > 1",
                                                      "before(a) < a",
                                                      "a > 1 > 2",
                                                      "(((a)))",
                                                      "a == 1e308 * 10",
                                                      "-a < 2KiB"};

const std::vector<KeyRow>& rows() {
  static const std::vector<KeyRow> all = watcher::all_keys();
  return all;
}

const std::vector<watcher::Section>& sections() {
  static const std::vector<watcher::Section> all = watcher::sections();
  return all;
}

struct Table {
  std::string header;
  std::string_view section;
  std::string_view variety;
  std::vector<std::pair<std::string, std::string>> keys;
};

std::vector<Table> right_one() {
  return {
      {"[watcher]", "watcher", "", {}},
      {"[probe.app]", "probe", "prometheus", {{"type", "'prometheus'"}, {"url", "'http://127.0.0.1:1/metrics'"}}},
      {"[probe.health]", "probe", "http", {{"type", "'http'"}, {"url", "'http://127.0.0.1:1/'"}}},
      {"[probe.b_2]", "probe", "exec", {{"type", "'exec'"}, {"run", "['/bin/true']"}}},
      {"[probe.host]", "probe", "host", {{"type", "'host'"}}},
      {"[probe.tcp]", "probe", "tcp", {{"type", "'tcp'"}, {"host", "'127.0.0.1'"}, {"port", "1"}}},
      {"[signal.a]", "signal", "", {{"probe", "'app'"}, {"ratio", "['e_total', 'r_total']"}}},
      {"[signal.p95]", "signal", "", {{"probe", "'app'"}, {"quantile", "0.95"}, {"of", "'h'"}}},
      {"[rule.r]", "rule", "", {{"when", "'a > 5%'"}, {"for", "'1m'"}}},
      {"[service.web]", "service", "command", {{"identify", "['/bin/true']"}, {"switch", "['/bin/true', '{to}']"}}},
      {"[action.rollback]", "action", "", {}},
      {"[[action.rollback.step]]", "action.step", "run", {{"run", "['/bin/true']"}}},
      {"[[action.rollback.step]]", "action.step", "switch", {{"switch", "'last-good'"}}},
      {"[[action.rollback.later]]", "action.later", "", {{"after", "'30m'"}, {"text", "'x'"}}},
      {"[notify.team]", "notify", "webhook", {{"type", "'webhook'"}, {"url", "'http://127.0.0.1:1/'"}}},
  };
}

std::string text_of(const std::vector<Table>& tables) {
  std::string out;
  for (const Table& table : tables) {
    out += table.header + "\n";
    for (const auto& [key, value] : table.keys) out += key + " = " + value + "\n";
  }
  return out;
}

class Writer {
 public:
  explicit Writer(Decisions& decisions) : decisions_(decisions), tables_(right_one()) {}

  std::string text() {
    for (int changes = 0; changes < 100 && !decisions_.are_over(); ++changes) {
      if (decisions_.one_in(12))
        add_table();
      else if (decisions_.one_in(16))
        tables_.erase(tables_.begin() + static_cast<std::ptrdiff_t>(decisions_.below(tables_.size())));
      else
        change(tables_[decisions_.below(tables_.size())]);
      if (tables_.empty()) break;
    }
    return text_of(tables_);
  }

 private:
  std::string name() { return std::string(decisions_.of(table_names)); }

  void add_table() {
    const watcher::Section& section = decisions_.of(sections());
    Table table{std::string(section.header), section.name, "", {}};
    if (const std::size_t at = table.header.find("NAME"); at != std::string::npos) table.header.replace(at, 4, name());
    if (!section.varieties.empty()) table.variety = decisions_.of(section.varieties).word;
    if (!section.chooser.empty()) table.keys.emplace_back(section.chooser, quoted(std::string(table.variety)));
    for (const KeyRow& row : rows()) {
      if (row.section == section.name && row.required && fits(row, table)) set(row, table);
    }
    // Tables of one array stand together behind their owner.
    tables_.push_back(std::move(table));
  }

  static bool fits(const KeyRow& row, const Table& table) {
    return row.key != nullptr && row.key->kind != Kind::table && row.key->kind != Kind::tables &&
           (row.only.empty() || std::find(row.only.begin(), row.only.end(), table.variety) != row.only.end());
  }

  void change(Table& table) {
    std::vector<const KeyRow*> own;
    for (const KeyRow& row : rows()) {
      if (row.section == table.section && fits(row, table)) own.push_back(&row);
    }
    if (!own.empty()) set(*decisions_.of(own), table);
  }

  void set(const KeyRow& row, Table& table) {
    const std::string key = row.path.substr(row.section.size() + 1);
    const std::string written = decisions_.one_in(24) ? std::string(decisions_.of(words)) : value(*row.key);
    const auto known =
        std::find_if(table.keys.begin(), table.keys.end(), [&](const auto& one) { return one.first == key; });
    if (known == table.keys.end())
      table.keys.emplace_back(key, written);
    else
      known->second = written;
  }

  std::string value(const probes::Key& key) {
    if (key.own != nullptr) return decisions_.one_in(4) ? quoted(of_conditions()) : std::string(key.own->example);
    switch (key.kind) {
      case Kind::integer:
        return integer(key.least, key.most);
      case Kind::duration:
        return decisions_.one_in(3) ? quoted(rules::to_string(key.shortest)) : quoted(duration());
      case Kind::choice:
        return quoted(key.words.empty() ? "x" : std::string(decisions_.of(key.words).word));
      case Kind::choices:
        return "[" + quoted(key.words.empty() ? "x" : std::string(decisions_.of(key.words).word)) + "]";
      case Kind::condition:
        return quoted(of_conditions());
      case Kind::string:
        return decisions_.one_in(4) ? quoted(decisions_.bytes(8)) : quoted(name());
      case Kind::strings:
        return "[" + quoted(name()) + ", " + quoted(of_conditions()) + "]";
      default:
        return std::string(watcher::row_of(key.kind).example);
    }
  }

  // One of the limits, now and then the next beyond.
  std::string integer(std::int64_t least, std::int64_t most) {
    const bool is_beyond = decisions_.one_in(8);
    const bool is_least = decisions_.one_in(2);
    if (is_least) return std::to_string(least - (is_beyond && least > INT64_MIN ? 1 : 0));
    return std::to_string(most + (is_beyond && most < INT64_MAX ? 1 : 0));
  }

  std::string duration() {
    constexpr std::array<std::string_view, 6> units{"ms", "s", "m", "h", "d", ""};
    return std::to_string(decisions_.below(1000)) + std::string(decisions_.of(units));
  }
  std::string of_conditions() { return std::string(decisions_.of(conditions)); }

  static std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~' ? '?' : c;
    }
    return out + "\"";
  }

  Decisions& decisions_;
  std::vector<Table> tables_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    require(watcher::load_config_text(text_of(right_one()), "/nowhere/fuzz.toml").config.has_value(),
            "what is changed was right");
  Decisions decisions(data, size);
  const std::string text = Writer(decisions).text();
  hold_for_configuration(text);
  return 0;
}
