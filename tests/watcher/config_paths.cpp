#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config_files.hpp"
#include "test_folder.hpp"
#include "watcher/config/permissions.hpp"

// Where a configuration and what it names lie, and who may change them.

namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  const std::string& path() const { return folder_.path; }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    const std::string file = path() + "/" + name;
    std::ofstream(file) << text;
    REQUIRE(chmod(file.c_str(), mode) == 0);
    return file;
  }

 private:
  TestFolder folder_;
};

}  // namespace

TEST_CASE("SPEC 3: relative paths start at the configuration's folder") {
  const watcher::Config config =
      loaded("[watcher]\nstate_dir = 'state'\ncontrol = '../c.sock'\n[service.web]\nrollback = ['true']\n");
  CHECK(config.watcher.state_dir == config.dir + "/state");
  CHECK(config.watcher.control == fs::path(config.dir).parent_path().string() + "/c.sock");
}

TEST_CASE("SPEC 3: the relative command of a step starts where the services' commands run") {
  const std::string step = "[action.a]\n[[action.a.step]]\nrun = ['scripts/x.sh']\n";
  const auto program = [](const watcher::Config& config) {
    return std::get<rules::RunStep>(config.core.actions.at(0).steps.at(0).what).argv.at(0);
  };
  const std::string web = "[service.web]\ndir = '/opt/app'\nswitch = ['true']\n";
  CHECK(program(loaded(web + step)) == "/opt/app/scripts/x.sh");
  const watcher::Config several = loaded(web + "[service.api]\ndir = '/opt/api'\nswitch = ['true']\n" + step);
  CHECK(program(several) == several.dir + "/scripts/x.sh");
}

TEST_CASE("a relative command of a step that is not where it starts is warned of where the services' folders differ") {
  const std::string services =
      "[service.web]\ndir = '/opt/app'\nswitch = ['true']\n[service.api]\ndir = '/opt/api'\nswitch = ['true']\n";
  const auto warnings = [&](const std::string& step) {
    const Folder folder;
    const watcher::Loaded read =
        watcher::load_config(folder.write("c.toml", services + "[action.a]\n[[action.a.step]]\n" + step));
    CHECK(read.config.has_value());
    return read.findings;
  };
  const auto told = warnings("run = ['scripts/x.sh']\n");
  REQUIRE(told.size() == 1);
  CHECK(told[0].level == watcher::Level::warning);
  CHECK(told[0].line == 9);
  CHECK(told[0].what.find("scripts/x.sh is not in ") != std::string::npos);
  CHECK(told[0].what.find("the services have different folders; write its whole path") != std::string::npos);
  CHECK(warnings("run = ['./c.toml']\n").empty());  // it is there
  CHECK(warnings("run = ['scripts/x.sh']\ndir = '/opt/app'\n").empty());
  CHECK(warnings("run = ['docker', 'ps']\n").empty());
  CHECK(warnings("run = ['/opt/app/x.sh']\n").empty());
}

TEST_CASE("SPEC 3: a configuration that other users can write is refused") {
  const Folder folder;
  const std::string text = "[watcher]\nname = 'x'\n[service.web]\nrollback = ['true']\n";
  const std::string file = folder.write("ok.toml", text);
  CHECK(watcher::load_config(file).config.has_value());
  for (const mode_t mode : {mode_t{0664}, mode_t{0646}}) {
    REQUIRE(chmod(file.c_str(), mode) == 0);
    const watcher::Loaded result = watcher::load_config(file);
    CHECK_FALSE(result.config.has_value());
    CHECK(findings_text(result).find("can be written by other users; chmod go-w " + file) != std::string::npos);
  }
  REQUIRE(chmod(file.c_str(), 0644) == 0);
  REQUIRE(chmod(folder.path().c_str(), 0777) == 0);
  CHECK_FALSE(watcher::load_config(file).config.has_value());
  REQUIRE(chmod(folder.path().c_str(), 01777) == 0);
  CHECK(watcher::load_config(file).config.has_value());
}

TEST_CASE("SPEC 3: a command named in the configuration that other users can write is refused") {
  const Folder folder;
  folder.write("back.sh", "#!/bin/sh\n", 0777);
  const std::string file = folder.write("c.toml", "[service.web]\nrollback = ['./back.sh']\nidentify = ['cat', 'x']\n");
  const watcher::Loaded result = watcher::load_config(file);
  REQUIRE(result.findings.size() == 1);
  CHECK(result.findings[0].line == 2);
  CHECK(result.findings[0].what.find("service.web.rollback: other users could change this command") == 0);
  REQUIRE(chmod((folder.path() + "/back.sh").c_str(), 0755) == 0);
  CHECK(watcher::load_config(file).config.has_value());
}

TEST_CASE("services that would switch each other's checkout, or container, are refused") {
  const Folder folder;
  std::filesystem::create_directories(folder.path() + "/app/.git");
  std::filesystem::create_directories(folder.path() + "/app/backend");
  std::filesystem::create_directories(folder.path() + "/other/.git");
  const auto git = [&](const std::string& name, const std::string& dir, const std::string& more) {
    return "[service." + name + "]\ndriver = 'git'\ndir = '" + folder.path() + "/" + dir + "'\nrestart = ['true']\n" +
           more;
  };
  const auto compose = [&](const std::string& name, const std::string& more) {
    return "[service." + name + "]\ndriver = 'compose'\ndir = '" + folder.path() + "/app'\n" + more;
  };
  const auto pm2 = [&](const std::string& name, const std::string& dir) {
    return "[service." + name + "]\ndriver = 'pm2'\ndir = '" + folder.path() + "/" + dir + "'\n";
  };
  const auto systemd = [&](const std::string& name, const std::string& link, const std::string& more) {
    return "[service." + name + "]\ndriver = 'systemd'\nlink = '" + folder.path() + "/" + link + "'\n" + more;
  };
  struct Case {
    std::string text;
    std::string shared;  // empty: nothing is
  };
  const std::string app = folder.path() + "/app";
  const std::vector<Case> cases{
      {git("web", "app", "") + git("api", "app", ""), app},
      {git("web", "app", "") + git("api", "app/../app/", ""), app},
      {git("web", "app", "") + git("api", "app/backend", ""), app},
      {git("web", "app", "") + git("api", "app", "paths = ['backend']\n"), app + "/backend"},
      {git("web", "app", "paths = ['backend/src']\n") + git("api", "app", "paths = ['backend/']\n"),
       app + "/backend/src"},
      {git("web", "app", "paths = ['frontend']\n") + git("api", "app", "paths = ['backend']\n"), ""},
      {git("web", "app", "paths = ['front']\n") + git("api", "app", "paths = ['front-end']\n"), ""},
      {git("web", "app", "") + git("api", "other", ""), ""},
      {git("web", "app", "paths = ['apps/*']\n") + git("api", "app", "paths = ['apps/b']\n"), app + "/apps/"},
      {git("web", "app", "paths = ['apps/b/src']\n") + git("api", "app", "paths = ['a??s/b*']\n"), app + "/apps/b/src"},
      {git("web", "app", "paths = ['backend']\n") + git("api", "app", "paths = ['*.conf']\n"), app + "/backend"},
      {git("web", "app", "paths = ['apps/a*']\n") + git("api", "app", "paths = ['apps/b']\n"), ""},
      {git("web", "app", "paths = ['apps/a*']\n") + git("api", "app", "paths = ['apps/[bc]*']\n"), app + "/apps/a"},
      {git("web", "app", "paths = ['apps/a*']\n") + git("api", "app", "paths = ['apps/b*']\n"), ""},
      {git("web", "app", "") + pm2("api", "app"), app + "; make one service of them"},
      {pm2("web", "app/backend") + git("api", "app", "paths = ['backend']\n"), app + "/backend"},
      {pm2("web", "app") + pm2("api", "app/."), app},
      {pm2("web", "app") + git("api", "other", ""), ""},
      {compose("web", "") + compose("api", "compose_service = 'web'\n"), "web of one Compose project"},
      {compose("web", "compose_service = ['x', 'y']\n") + compose("api", "compose_service = ['y', 'z']\n"),
       "y of one Compose"},
      {compose("web", "") + compose("api", ""), ""},
      {compose("web", "project = 'a'\n") + compose("api", "compose_service = 'web'\nproject = 'b'\n"), ""},
      {compose("web", "") + git("api", "app", ""), ""},
      {systemd("web", "app/current", "") + systemd("api", "app/./current", ""), app + "/current; make one service"},
      {systemd("web", "app/current", "unit = 'shop.service'\n") + systemd("api", "other/current", "unit = ['shop']\n"),
       "shop.service; name in unit"},
      {systemd("web", "app/current", "") + systemd("api", "other/current", "unit = 'web'\n"), "web.service"},
      {systemd("web", "app/current", "") + systemd("api", "other/current", ""), ""},
  };
  for (const Case& one : cases) {
    INFO(one.text);
    const std::string found = findings_text(load_text(one.text));
    if (one.shared.empty()) {
      CHECK(found.find("would switch") == std::string::npos);
    } else {
      CHECK(found.find("error: service.web: would switch what service api runs, and the other way round: " +
                       one.shared) != std::string::npos);
    }
  }
}

TEST_CASE("SPEC 3: a file that belongs to another user is refused") {
  if (geteuid() != 0) {
    MESSAGE("not run: only root can give a file away");
    return;
  }
  const Folder folder;
  const std::string file = folder.write("c.toml", "");
  REQUIRE(chown(file.c_str(), 65534, 65534) == 0);
  CHECK(findings_text(watcher::load_config(file)).find("belongs to another user (uid 65534)") != std::string::npos);
}

TEST_CASE("a configuration that is not there, is a folder, or is no text is reported") {
  const Folder folder;
  CHECK(findings_text(watcher::load_config(folder.path() + "/none.toml")).find("there is no such file") !=
        std::string::npos);
  CHECK(findings_text(watcher::load_config(folder.path())).find("is not a file") != std::string::npos);
  CHECK_FALSE(watcher::load_config(folder.write("b.toml", std::string("\xff\xfe\0x", 4))).config.has_value());
}
