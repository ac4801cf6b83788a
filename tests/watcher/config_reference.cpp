#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "config_files.hpp"
#include "watcher/config/schema.hpp"

namespace {

std::string checked_in() {
  std::ifstream file(std::string(SOURCE_DIR) + "/packaging/configuration.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// "[[action.careful.on_failure]]" as the rows call it: "action.step".
std::string section_of(const std::string& header) {
  const std::string inner = header.substr(header.rfind('[') + 1, header.find(']') - header.rfind('[') - 1);
  const std::string kind = inner.substr(0, inner.find('.'));
  const std::size_t second = inner.find('.', kind.size() + 1);
  if (second == std::string::npos) return kind;
  const std::string below = inner.substr(second);
  return kind == "action" && below != ".later" ? "action.step" : kind + below;
}

// The keys that a configuration written out has: "probe.interval".
std::set<std::string> keys_in(const std::string& expanded) {
  std::set<std::string> out;
  std::istringstream lines(expanded);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) section = section_of(line);
    const std::size_t equals = line.find(" = ");
    if (!line.starts_with(' ') && equals != std::string::npos) out.insert(section + "." + line.substr(0, equals));
  }
  return out;
}

}  // namespace

TEST_CASE("the reference that is checked in is what the program prints") {
  CHECK_MESSAGE(watcher::reference() == checked_in(), "rollbackd help --reference > packaging/configuration.md");
}

TEST_CASE("every key says in a sentence what it means, and what it is written as") {
  for (const watcher::KeyRow& row : watcher::all_keys()) {
    CAPTURE(row.path);
    CHECK(row.doc.ends_with("."));
    CHECK_FALSE(row.type.empty());
    CHECK_FALSE((row.required && !row.fallback.empty()));
  }
}

TEST_CASE("a key has one row, or one for each thing that has it") {
  std::set<std::pair<std::string, std::string>> seen;
  for (const watcher::KeyRow& row : watcher::all_keys()) {
    CAPTURE(row.path);
    if (row.only.empty()) CHECK(seen.emplace(row.path, "").second);
    for (const std::string& only : row.only) CHECK(seen.emplace(row.path, only).second);
    CHECK_FALSE((!row.only.empty() && seen.contains({row.path, ""})));
  }
}

TEST_CASE("what is written out are keys that the reference has") {
  std::set<std::string> known;
  for (const watcher::KeyRow& row : watcher::all_keys()) known.insert(row.path);
  std::size_t found = 0;
  for (const std::string name : {"short.toml", "long_now.toml", "every_key.toml"}) {
    for (const std::string& key : keys_in(watcher::expand(loaded(config_text(name))))) {
      CAPTURE(key);
      CHECK(known.contains(key));
      ++found;
    }
  }
  CHECK(found > 100);
}
