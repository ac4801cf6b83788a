#pragma once

#include <map>
#include <string>
#include <vector>

#include "watcher/drivers/compose_containers.hpp"

namespace watcher {

// What runs of one service of a Compose project.
struct ComposeRuns {
  std::string image;       // id
  std::string image_name;  // as the configuration had it
  std::string config_hash;
  std::string configured;
  std::size_t count = 0;  // of its containers that run
};

// What runs of all the services that are one for us.
struct ComposeLook {
  std::string error;    // for people; empty: all below is known
  bool differ = false;  // the error is that containers of one service are not alike
  bool absent = false;
  std::string stopped;  // for people; empty: not all that is deployed was stopped by somebody
  std::string project;
  std::string working_dir;
  std::string made_by;                      // the version of Compose that people use here
  std::map<std::string, ComposeRuns> runs;  // by service
  std::vector<ComposeContainer> containers;
  std::string revision;
};

// Of those containers, all of one project: of each service what runs, and where nothing does the newest that is there,
// since a release that has ended or restarts for ever is still what is deployed. Containers of one service that are not
// alike are an error, not a revision.
ComposeLook compose_look(std::vector<ComposeContainer> containers, const std::vector<std::string>& services);

// Twelve digits of each image's id (of a hash of them all where there are more than four), and of a hash of all that
// the containers were made with. Never a tag: that may be another image tomorrow.
std::string compose_revision(const std::map<std::string, ComposeRuns>& runs);

// What the images are called in the configuration, without the registry's address; empty where one has no name, as
// after a switch of ours, which pins ids.
std::string compose_label(const std::map<std::string, ComposeRuns>& runs);

// Hexadecimal SHA-256.
std::string sha256_hex(std::string_view text);

}  // namespace watcher
