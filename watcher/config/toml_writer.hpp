#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/config/config.hpp"

namespace watcher {

// Writes a configuration as TOML, key by key. Secrets are written as they were referred to.
class TomlWriter {
 public:
  void section(const std::string& header);  // "[probe.app]", "[[action.rollback.step]]"
  void raw(std::string_view key, const std::string& toml);
  void comment(const std::string& line);
  void string(std::string_view key, std::string_view value);

  const std::string& written() const { return out_; }

 private:
  std::string out_;
};

// A text as TOML: the reference it came from, "<redacted>" for a secret that came from nowhere, else itself.
std::string toml_of(const Text& text);
// A JSON text as a TOML value, so that reading it gives the same JSON.
std::string toml_of_json(const std::string& json);
// A number that stays a floating-point one.
std::string toml_of_number(double value);

}  // namespace watcher
