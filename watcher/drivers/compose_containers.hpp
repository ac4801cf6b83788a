#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace watcher {

// A container as `docker inspect` tells of it.
struct ComposeContainer {
  std::string id;
  std::string name;
  std::string project;
  std::string service;      // of the project
  std::string working_dir;  // of the project, as Compose has written it down
  std::string image;        // its id: sha256:...
  std::string image_name;   // as the configuration had it
  std::string made_by;      // the version of Compose
  std::string config_hash;  // Compose's own of the configuration that made it
  std::string configured;   // what it was made with but for the image, always in the same words
  std::string created;      // comparable with others
  std::string status;       // created, running, restarting, exited, ...
  std::string health;       // starting, healthy, unhealthy; empty: nobody asks for it
  std::string started;
  int exit_code = 0;
  int restarts = 0;
  bool oom_killed = false;

  bool runs() const { return status == "running" || status == "restarting" || status == "paused"; }
};

using ComposeContainers = std::variant<std::vector<ComposeContainer>, std::string>;

// What `docker inspect` has printed; a string: why it is none, for people.
ComposeContainers parse_containers(std::string_view json);

}  // namespace watcher
