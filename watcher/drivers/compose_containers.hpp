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
  std::string policy;  // of restarting: no, always, unless-stopped, on-failure
  std::vector<std::string>
      joins{};           // ids or names of the containers whose network, processes, memory or volumes it has
  bool one_off = false;  // of `docker compose run`
  std::string failure;   // why it could not be started, as Docker says; empty: it could
  std::vector<std::string> secrets{};  // values of its environment that nothing which is kept may have in it

  bool runs() const { return status == "running" || status == "restarting" || status == "paused"; }
};

// Whether somebody stopped the container. Docker does not say who ended it, but
// starts again what ended by itself where its policy says so, and never what was stopped.
//
//   status   exit code         policy                  stopped?
//   created  any               any                     no: what it depends on may have failed
//   exited   143 (TERM)        any                     yes: that is how `docker stop` ends what does not catch it
//   exited   130, 137 (KILL)   all but `no`            yes: what takes longer to stop is killed
//   exited   0                 always, unless-stopped  yes
//   exited   0                 no, on-failure          no: it may have ended by itself
//   exited   anything else     any                     no: it crashed
//   exited   any, and it was restarted by Docker, was killed for want of memory, or could not be started       no
//   running, restarting, paused, removing, dead                                                                no
bool is_stopped(const ComposeContainer& container);

using ComposeContainers = std::variant<std::vector<ComposeContainer>, std::string>;

// What `docker inspect` has printed; a string: why it is none, for people.
ComposeContainers parse_containers(std::string_view json);

}  // namespace watcher
