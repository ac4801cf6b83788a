#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/key.hpp"

namespace watcher {

// All keys of the configuration as one list, for the help, the completion and the reference. Reading and writing take
// them from the same rows.

// A kind of table of the file: [watcher], [probe.NAME], [[action.NAME.step]].
struct Section {
  std::string_view name;    // "probe", "action.step"
  std::string_view header;  // "[probe.NAME]"
  std::string_view doc;
  std::span<const probes::Key> keys;
  std::string_view chooser;  // the key that says what it is; empty: nothing does, or the keys themselves
  std::span<const probes::Variety> varieties;
  std::shared_ptr<void> (*fresh)();         // a struct with the defaults, that the keys fill
  void* (*variant)(void* fresh) = nullptr;  // what its varieties become
};

std::vector<Section> sections();

// A key, with what it takes to look it up and to say all of it.
struct KeyRow {
  std::string path;  // "probe.interval", "probe.tls.verify", "action.step.run"
  std::string section;
  const probes::Key* key = nullptr;  // null: the section's chooser
  std::vector<std::string> only;     // the types, drivers or steps that have it; empty: all
  std::string type;                  // "a duration, at least 10ms"
  std::string fallback;              // what holds when it is left out; empty when it must not be, or means nothing
  std::string doc;
  bool required = false;
};

std::vector<KeyRow> all_keys();

// Everything that the configuration can have, as Markdown.
std::string reference();

}  // namespace watcher
