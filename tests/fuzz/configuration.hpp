#pragma once

#include <cstdio>
#include <string>

#include "require.hpp"
#include "watcher/config/config.hpp"

// What holds for any text as a configuration: it loads, or every mistake has a place; and what loads, written out,
// loads again and is written out the same. The place of what the whole lacks is line 0.
// With its secrets: what is shown instead of one is not loaded again.
inline void hold_for_configuration(const std::string& text) {
  const watcher::Loaded loaded = watcher::load_config_text(text, "/nowhere/fuzz.toml", watcher::Secrets::shown);
  bool error = false;
  for (const watcher::Finding& finding : loaded.findings) {
    error = error || finding.level == watcher::Level::error;
    require((finding.line > 0) == (finding.column > 0) && !finding.what.empty(), "a mistake has its place and a text");
  }
  require(error == !loaded.config.has_value(), "a configuration without errors is there");
  if (!loaded.config) return;
  const std::string once = watcher::expand(*loaded.config);
  const watcher::Loaded again = watcher::load_config_text(once, "/nowhere/fuzz.toml", watcher::Secrets::shown);
  if (!again.config) {
    std::fprintf(stderr, "%s\n", once.c_str());
    for (const watcher::Finding& one : again.findings) {
      std::fprintf(stderr, "%s\n", watcher::format_finding("written out", one).c_str());
    }
  }
  require(again.config.has_value(), "what is written out loads again");
  require(watcher::expand(*again.config) == once, "what is written out is written out the same");
}
