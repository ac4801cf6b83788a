#include "config_files.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "test_folder.hpp"

namespace {

// A copy in which nobody else reads the secrets: how they are checked out is the umask's doing.
std::string folder() {
  static const TestFolder copy;
  static const bool made = [] {
    std::filesystem::copy(std::string(SOURCE_DIR) + "/tests/watcher/config", copy.path);
    for (const char* const secret : {"token", "slack-url"})
      std::filesystem::permissions(copy.file(secret), std::filesystem::perms::owner_read);
    return true;
  }();
  REQUIRE(made);
  return copy.path + "/";
}

}  // namespace

std::string config_text(const std::string& name) {
  std::ifstream file(folder() + name);
  REQUIRE_MESSAGE(file.is_open(), name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

watcher::Loaded load_text(const std::string& text, watcher::Secrets secrets) {
  setenv("PROBE_PW", "password-of-the-tests", 1);
  setenv("PROBE_PW_URL", "http://127.0.0.1:2/metrics", 1);
  return watcher::load_config_text(text, folder() + "test.toml", secrets);
}

std::string findings_text(const watcher::Loaded& loaded) {
  std::string out;
  for (const watcher::Finding& finding : loaded.findings) {
    const std::string line = watcher::format_finding("", finding);
    out += line.substr(line.starts_with(":") ? 1 : 0) + "\n";
  }
  return out;
}

std::string findings_beside_service(const std::string& text) {
  const bool has_service = text.find("[service") != std::string::npos;
  const watcher::Loaded result = load_text(has_service ? text : text + "\n[service.any]\nrollback = ['true']\n");
  CHECK(result.config.has_value() == result.findings.empty());
  return findings_text(result);
}

watcher::Config loaded(const std::string& text, watcher::Secrets secrets) {
  watcher::Loaded result = load_text(text, secrets);
  REQUIRE_MESSAGE(result.config.has_value(), findings_text(result));
  return *std::move(result.config);
}

std::string with_service(const std::string& more) {
  return R"([probe.app]
type = "prometheus"
url = "http://127.0.0.1:3001/metrics"
[service.web]
identify = ["cat", "revision"]
switch = ["./switch.sh", "{to}"]
)" + more;
}
