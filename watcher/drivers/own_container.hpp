#pragma once

#include <string>
#include <string_view>

namespace watcher {

// Docker's container that we run in. Only Docker knows how others call it.
struct OwnContainer {
  std::string id;         // empty: we run in none
  std::string name{};     // these are empty until Docker has said them
  std::string project{};  // of Compose; empty: it belongs to none
  std::string service{};
  std::string dir{};  // of the project, on the host
};

// What `docker inspect` prints in ask_for_own_container(). What it is not asked for is left empty.
OwnContainer own_container_said(std::string id, std::string_view said);

// Asks Docker for it where we run in a container and have the command; at most four seconds. To be called once, before
// it is looked what would stop us; where it fails, the id alone is known.
void ask_for_own_container();
// As it is known by now. On the thread that asked.
const OwnContainer& known_own_container();

}  // namespace watcher
