#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "config_files.hpp"
#include "test_folder.hpp"

TEST_CASE("a link, or releases, that lie in what another service checks out are warned of") {
  const TestFolder folder;
  const std::string& top = folder.path;
  for (const char* const made : {"app/.git", "app/sub/.git", "app/backend", "app/front/releases", "other"})
    std::filesystem::create_directories(top + "/" + made);
  const auto systemd = [&](const std::string& link, const std::string& more = "") {
    return "[service.web]\ndriver = 'systemd'\nlink = '" + top + "/" + link + "'\n" + more;
  };
  const auto git = [&](const std::string& dir, const std::string& more = "") {
    return "[service.api]\ndriver = 'git'\ndir = '" + top + "/" + dir + "'\nrestart = ['true']\n" + more;
  };
  const std::string pm2 = "[service.api]\ndriver = 'pm2'\ndir = '" + top + "/app'\n";
  struct Case {
    std::string text;
    std::string lies;  // empty: nothing does
  };
  const std::vector<Case> cases{
      {systemd("app/current") + git("app"), top + "/app/current lies in " + top + "/app,"},
      {systemd("app/front/current") + git("app/backend"), top + "/app/front/current lies in " + top + "/app,"},
      {systemd("app/current") + pm2, top + "/app/current lies in "},
      {systemd("other/current", "releases = '" + top + "/app/front/releases'\n") + git("app"),
       top + "/app/front/releases lies in "},
      {systemd("app/backend/current") + git("app", "paths = ['backend/']\n"), "lies in " + top + "/app/backend,"},
      {systemd("app/front/current") + git("app", "paths = ['backend']\n"), ""},
      {systemd("app/sub/current") + git("app"), ""},
      {systemd("other/current") + git("app"), ""},
      {systemd("app/../other/current") + git("app"), ""},
  };
  for (const Case& one : cases) {
    INFO(one.text);
    const auto read = load_text(one.text);
    CHECK(read.config.has_value());
    const std::string found = findings_text(read);
    INFO(found);
    CHECK((found.find("lies in") != found.npos) == !one.lies.empty());
    CHECK(found.find(one.lies) != found.npos);
    if (!one.lies.empty()) CHECK(found.find("warning: service.web: ") != found.npos);
  }
}
