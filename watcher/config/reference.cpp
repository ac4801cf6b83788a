#include <algorithm>

#include "watcher/config/schema.hpp"

namespace watcher {

namespace {

std::string in_cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string only_text(const KeyRow& row) {
  std::string out;
  for (const std::string& word : row.only) out += (out.empty() ? "" : ", ") + word;
  return out.empty() ? out : " (" + out + ")";
}

// What each word that it may be set to means.
std::string words_text(const KeyRow& row) {
  std::string out;
  if (row.key == nullptr) return out;
  for (const probes::Word& word : row.key->words)
    out += (out.empty() ? " `" : "; `") + std::string(word.word) + "`: " + std::string(word.doc);
  return out.empty() ? out : out + ".";
}

std::string line_of(const KeyRow& row) {
  const std::string name = row.path.substr(row.section.size() + 1);
  const std::string fallback = row.required ? "required" : row.fallback;
  return "| `" + name + "`" + only_text(row) + " | " + in_cell(row.type) + " | " + in_cell(fallback) + " | " +
         in_cell(row.doc + words_text(row)) + " |\n";
}

std::string varieties_text(const Section& section) {
  std::string out;
  for (const probes::Variety& variety : section.varieties) {
    if (!variety.later()) out += "- `" + std::string(variety.word) + "`: " + std::string(variety.doc) + "\n";
  }
  return out.empty() ? out : "\n" + out;
}

}  // namespace

std::string reference() {
  std::string out =
      "# The configuration's keys\n\n"
      "Printed by `rollbackd help --reference`. In brackets: the types, drivers or steps that alone have a key.\n"
      "`rollbackd help probe.interval` tells of one key.\n";
  const std::vector<KeyRow> rows = all_keys();
  for (const Section& section : sections()) {
    out += "\n## `" + std::string(section.header) + "`\n\n" + std::string(section.doc) + "\n" +
           varieties_text(section) + "\n| key | value | when left out | meaning |\n|---|---|---|---|\n";
    for (const KeyRow& row : rows) {
      if (row.section == section.name) out += line_of(row);
    }
  }
  return out;
}

}  // namespace watcher
