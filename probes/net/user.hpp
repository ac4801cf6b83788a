#pragma once

#include <map>
#include <string>
#include <vector>

#include "probes/net/child.hpp"

namespace probes {

// A command made ready to run as another user.
struct AsUser {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
  std::string error;  // for people, when it cannot be run as that user
  bool command_missing = false;
};

// posix_spawn cannot change the user, and between fork and exec a program with threads may do next to nothing: the
// switch is left to setpriv(1) of util-linux. Without `user`, or when it is ours, nothing changes.
AsUser as_user_of(const ChildSpec& spec);

// What is wrong with the name of a user; empty when nothing is.
std::string wrong_user(const std::string& user);

}  // namespace probes
