#pragma once

#include <string>
#include <vector>

#include "application.hpp"
#include "rules/engine/config.hpp"
#include "watcher.hpp"

namespace sim {

enum class What {
  deploy,          // name: the revision
  deploy_marked,   // between deploy begin and end
  deploy_partly,   // for `lasts` instances disagree
  mark_forbidden,  // deployed with `--rollback forbidden`
  mark_ask,        // deployed with `--rollback ask`
  mark_automatic,  // what runs may be rolled back after all
  hotfix,       // shortly after another one; what is said at its end, or after it, names nobody and forbids a rollback
  traffic,      // amount: requests a second
  trouble,      // amount: share of errors that come from elsewhere, for `lasts`
  dies,         // the process ends and nobody starts it, for `lasts`
  path,         // name: a probe; amount: a Path, for `lasts`
  misread,      // name: a revision that one look reads and that does not run
  unreadable,   // what runs cannot be read, for `lasts`
  disk,         // amount: a Disk, for `lasts`
  fate,         // name: a kind of step; amount: a Fate, for `lasts`
  clock_jump,   // by `lasts`
  stand_still,  // for `lasts`
  kill,         // amount: 1 is a power cut; down for `lasts`
  kill_soon,    // the same after `count` moments
  stranger,     // another program holds the host's lock for `lasts`
  approve,
  abort,
  pause,  // for `lasts`
  resume,
  by_hand,  // name: to; empty: the last good one
  by_hand_forced,
  fuse_reset,
  declare_good,
  declare_bad,
  accept_state,  // after a journal that was damaged
  reload,        // count: of which configuration
  heal,          // everything is well from here on
};
std::string_view to_string(What what);

// One thing that happens.
struct Happening {
  Duration at{};
  What what = What::traffic;
  std::string service;
  std::string name;
  double amount = 0;
  int count = 0;
  Duration lasts{};
};
std::string to_string(const Happening& happening);

// A world from its seed: what is watched how, and what happens. The same seed is the same world, everywhere.
struct Script {
  std::uint64_t seed = 0;
  std::vector<rules::CoreConfig> configs;     // of each watcher
  std::vector<rules::CoreConfig> reloadable;  // what the first may be reloaded with
  std::map<std::string, Release> releases;
  std::map<std::string, std::string> schemas;  // by revision; empty: nobody asks for it
  // Who needs whom, of those that the configuration says it of.
  struct Need {
    std::string who;
    std::string whom;
    double share = 1;
    bool health = false;
  };
  std::vector<Need> needs;
  std::vector<Happening> happenings;
  Duration length{};
};
Script write_script(std::uint64_t seed);

// A history without people, faults and crashes, but for one restart, or none: the decisions have to be the same.
Script write_quiet_script(std::uint64_t seed);

}  // namespace sim
