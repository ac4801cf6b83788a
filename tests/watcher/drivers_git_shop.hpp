#pragma once

#include <memory>
#include <string>

#include "drivers_support.hpp"

namespace drivers_support {

// A repository with three releases, and an application that "runs" what was checked out when it was restarted.
struct Shop {
  Folder folder;
  CountingClock clock;
  watcher::GitDriver config;
  std::string repository = folder.path + "/app";
  std::string first, second, third;

  Shop() {
    REQUIRE(std::filesystem::create_directory(repository));
    git("init -q -b main");
    git("config user.name Dev");
    git("config user.email dev@example.com");
    first = release("one");
    second = release("two");
    third = release("three");
    config.dir = repository;
    config.build = {std::vector<std::string>{
        script(folder.path + "/build", "echo building; cp version ../built; [ ! -e ../break-build ]\n")}};
    config.restart = {
        script(folder.path + "/restart", "echo restarting; cp version ../running; [ ! -e ../break-restart ]\n")};
    restart_by_hand();
  }

  void git(const std::string& arguments, const std::string& output = "/dev/null") const {
    const std::string command =
        "git -C " + repository + " " + arguments + " > " + output + " 2>> " + folder.path + "/log";
    INFO(command);
    REQUIRE(std::system(command.c_str()) == 0);
  }
  // As a shell in the tree does it.
  void in_tree(const std::string& commands) const {
    const std::string all = "cd " + repository + " && { " + commands + "; } 2>> " + folder.path + "/log";
    INFO(all);
    REQUIRE(std::system(all.c_str()) == 0);
  }
  std::string asked(const std::string& arguments) const {
    git(arguments, folder.path + "/answer");
    std::string out = content(folder.path + "/answer");
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
  }
  std::string release(const std::string& version) {
    std::filesystem::create_directories(repository + "/backend");
    std::filesystem::create_directories(repository + "/frontend");
    write(repository + "/version", version + "\n");
    write(repository + "/backend/api", "api of " + version + "\n");
    write(repository + "/backend/only-in-" + version, "");
    write(repository + "/frontend/page", "page of " + version + "\n");
    git("add -A");
    git("commit -q -m " + version);
    return asked("rev-parse HEAD");
  }
  void restart_by_hand() { write(folder.path + "/running", content(repository + "/version")); }
  std::string truly_running() const { return content(folder.path + "/running"); }

  std::unique_ptr<watcher::Driver> driver() {
    watcher::DriverSection section;
    section.service = rules::ServiceName("web");
    section.driver = config;
    return watcher::make_driver(section, folder.path + "/state", clock);
  }
  // As a watcher that has just started would say.
  std::string identified() {
    const auto made = driver();
    return running(*made);
  }
  rules::StepResult roll_back_to(const std::string& to) {
    const auto made = driver();
    return switch_to(*made, third, to);
  }
  // Where something is in the way, which is waited for shortly.
  rules::StepResult go_back_at_once() {
    watcher::SwitchRequest request;
    request.from = rules::Revision(third);
    request.to = rules::Revision(first);
    request.limit = std::chrono::milliseconds(200);
    const auto made = driver();
    return run_here(made->switch_to(request));
  }
  std::string aftermath() {
    const auto made = driver();
    return made->aftermath();
  }
  // Runs the command that the aftermath names after those words.
  void obey(const std::string& words) { obey("", words); }
  // The first after those others.
  void obey(const std::string& after, const std::string& words) {
    const std::string text = aftermath();
    const std::size_t from = text.find(after);
    REQUIRE(from != std::string::npos);
    const std::size_t at = text.find(words, from);
    REQUIRE(at != std::string::npos);
    const std::size_t begin = at + words.size();
    const std::string command = "{ " + text.substr(begin, text.find('\n', begin) - begin) + "; } >/dev/null 2>&1";
    INFO(command);
    REQUIRE(std::system(command.c_str()) == 0);
  }
};

inline constexpr const char* protocol = "-c protocol.file.allow=always ";

// A shop with a library in a submodule, of which the second release has another version than the first.
struct ShopWithLibrary : Shop {
  std::string old_release, new_release;
  std::string upstream = folder.path + "/library";

  ShopWithLibrary() {
    const std::string made = "{ git init -q -b main " + upstream + " && cd " + upstream +
                             " && git config user.name Dev && git config user.email dev@example.com && " +
                             "echo old > code && git add code && git commit -q -m old; } 2>> " + folder.path + "/log";
    REQUIRE(std::system(made.c_str()) == 0);
    git(std::string(protocol) + "submodule --quiet add " + upstream + " lib");
    old_release = release("old");
    in_tree("echo new > lib/code && git -C lib -c user.name=D -c user.email=d@e commit -q -a -m new");
    new_release = release("new");
  }
};

}  // namespace drivers_support
