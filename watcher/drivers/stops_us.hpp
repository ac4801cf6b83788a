#pragma once

#include <string>
#include <vector>

#include "watcher/drivers/own_container.hpp"

namespace watcher {

// A command, and where it runs.
struct StopsWhere {
  std::string dir{};               // empty: ours
  std::vector<std::string> env{};  // NAME=VALUE, besides ours
};

// Why a command must not be run by us, as far as its words say what it stops: our unit behind systemctl, our container
// behind docker, our service or its whole project behind Compose, our pod or its Deployment behind kubectl, our
// processes behind pkill; also behind `sudo` and its like, and in the script of `sh -c`. For people, with what to do;
// empty: it may. What a script in a file does, or a Compose file that has a `name`, is not found.
std::string why_stops_us(const std::vector<std::string>& argv, const StopsWhere& where);
// The same of a process in that container.
std::string why_stops(const OwnContainer& own, const std::vector<std::string>& argv, const StopsWhere& where);

}  // namespace watcher
