#include <cstdint>
#include <string>

#include "require.hpp"
#include "watcher/config/config.hpp"

// A configuration, from people: it loads, or every mistake has a place; and what loads, written out, loads again and
// is written out the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const watcher::Loaded loaded = watcher::load_config_text(text, "/nowhere/fuzz.toml");
  bool error = false;
  for (const watcher::Finding& finding : loaded.findings) {
    error = error || finding.level == watcher::Level::error;
    require(finding.line > 0 && finding.column > 0 && !finding.what.empty(), "a mistake has its place and a text");
  }
  require(error == !loaded.config.has_value(), "a configuration without errors is there");
  if (!loaded.config) return 0;
  const std::string once = watcher::expand(*loaded.config);
  const watcher::Loaded again = watcher::load_config_text(once, "/nowhere/fuzz.toml");
  require(again.config.has_value(), "what is written out loads again");
  require(watcher::expand(*again.config) == once, "what is written out is written out the same");
  return 0;
}
