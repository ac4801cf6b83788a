#include <algorithm>
#include <array>

#include "probes/key_rows.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/sections.hpp"
#include "watcher/config/values.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;
using probes::ProbeConfig;
using probes::Variety;

// Polls are started from one tick of 10 ms.
constexpr rules::Duration interval_least = std::chrono::milliseconds(10);
constexpr rules::Duration timeout_default = std::chrono::seconds(5);

constexpr probes::Word faults[]{
    {"dns", 0, "a name that is not found"},
    {"no_route", 1, "a network that cannot be reached"},
};

probes::Value down_on_of(const void* object) {
  const rules::DownOn& down_on = static_cast<const ProbeConfig*>(object)->down_on;
  std::vector<std::string> out;
  if (down_on.dns) out.emplace_back("dns");
  if (down_on.no_route) out.emplace_back("no_route");
  return out;
}

void set_down_on(void* object, probes::Value value) {
  rules::DownOn& down_on = static_cast<ProbeConfig*>(object)->down_on;
  for (const std::string& word : std::get<std::vector<std::string>>(value)) {
    (word == "dns" ? down_on.dns : down_on.no_route) = true;
  }
}

constexpr Key down_on_key() {
  Key out;
  out.name = "down_on";
  out.kind = Kind::choices;
  out.doc = "Which faults of the measuring path mean that the target is down.";
  out.words = faults;
  out.get = down_on_of;
  out.set = set_down_on;
  return out.when_left_out("none");
}

constexpr std::array keys{
    key<Kind::duration, &ProbeConfig::interval>("interval", "How often it is asked.").at_least(interval_least),
    key<Kind::duration, &ProbeConfig::timeout>("timeout", "How long an answer may take.")
        .at_least(interval_least)
        .when_left_out("the smaller of interval and 5s"),
    key<Kind::duration, &ProbeConfig::max_gap>("max_gap", "How old its newest sample may be; at least the interval.")
        .when_left_out("the larger of 2.5 times interval and interval + timeout"),
    down_on_key(),
};

void settle_timing(TableReader& reader, ProbeConfig& out) {
  if (!reader.has("timeout")) out.timeout = std::min(out.interval, timeout_default);
  const rules::Duration usual = std::max(out.interval * 5 / 2, out.interval + out.timeout);
  out.max_gap = reader.duration("max_gap", out.interval).value_or(usual);
}

// Commands start in the configuration's folder unless the table names another.
struct SetDir {
  const std::string& dir;
  void operator()(auto& what) const {
    if constexpr (requires { what.dir = dir; }) what.dir = dir;
  }
};

void read_what(TableReader& reader, const Variety& type, ProbeConfig& out) {
  void* const what = type.become(&out.what);
  reader.set_commands_dir(reader.loading().dir);
  reader.read(type.keys, what);
  if (type.settle != nullptr) type.settle(what, reader);
  std::visit(SetDir{reader.commands_dir()}, out.what);
}

// Nobody knows what the table is to be: what is wrong whatever it is, is still told. A type of a later version has keys
// that nobody here knows.
void read_without_type(TableReader& reader) {
  ProbeConfig unused;
  if (const Variety* meant = reader.meant("type", probes::probe_types())) return read_what(reader, *meant, unused);
  if (reader.is_later("type", probes::probe_types())) return reader.skip_rest();
  for (const Variety& type : probes::probe_types()) reader.know(type.keys);
}

void read_probe(Loading& loading, const NamedTable& entry) {
  TableReader reader(loading, *entry.table, "probe." + entry.name);
  loading.probe_names.insert(entry.name);
  ProbeConfig out = probe_with_defaults(entry.name);
  if (!reader.has("type")) reader.missing("type", "one of " + reader.words_of(probes::probe_types()));
  const Variety* const type = reader.variety("type", probes::probe_types());
  reader.read(keys, &out);
  settle_timing(reader, out);
  if (type != nullptr) {
    read_what(reader, *type, out);
    loading.config.probes.push_back(std::move(out));
  } else {
    loading.unreadable_probes.insert(entry.name);
    read_without_type(reader);
  }
  reader.finish();
}

}  // namespace

std::span<const Key> probe_keys() { return keys; }

ProbeConfig probe_with_defaults(const std::string& name) {
  ProbeConfig out;
  out.name = rules::ProbeName(name);
  return out;
}

void read_probes(Loading& loading, TableReader& root) {
  for (const NamedTable& entry : named_tables(root, "probe", is_measurement_name, "[a-z_][a-z0-9_]*")) {
    read_probe(loading, entry);
  }
}

void write_probe(TomlWriter& out, const ProbeConfig& probe) {
  const std::string owner = "probe." + probe.name.text;
  const Variety& type = *held_by(&probe.what, probes::probe_types());
  out.section("[" + owner + "]");
  out.string("type", type.word);
  write_values(out, keys, &probe);
  write_values(out, type.keys, type.held(&probe.what));
  write_tables(out, owner, type.keys, type.held(&probe.what));
}

}  // namespace watcher
