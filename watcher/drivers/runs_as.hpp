#pragma once

#include <string>
#include <vector>

namespace watcher {

// As whom what concerns a checkout is run.
struct RunsAs {
  std::string user;   // empty: as ourselves
  std::string error;  // why it cannot be run, and what to do, for people; empty: it can
};

// As `configured`, where that is given; else as the owner of `dir`: the hooks, filters and scripts of somebody else's
// checkout, run as root, would hand root over. Only root can be somebody else.
RunsAs runs_as(const std::string& dir, const std::string& configured);

// The name of the account; empty: the number has none.
std::string account_of(unsigned uid);

// The name for people, also of ourselves.
std::string name_of(const RunsAs& as);

// Whether systemd may refuse the command to that user: only root may restart a system's unit, unless a rule of polkit
// says otherwise.
bool may_be_refused(const std::vector<std::string>& argv, const RunsAs& as);

}  // namespace watcher
