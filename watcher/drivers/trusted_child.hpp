#pragma once

#include <optional>
#include <string>

#include "probes/net/child.hpp"

namespace watcher {

// Looks at what the command would run, once more before it is. Returns why it must not be, for people, and nothing when
// it may: a name is the path then under which it was found in PATH and looked at.
std::optional<std::string> make_trusted(probes::ChildSpec& spec);

// probes::run_child() for a command that the configuration names, unless others could have changed by now what it runs
// (run_changed_by_others()): it is not started then, and the error says what to do. Neither is one whose
// limit is over before it begins. One that somebody is told of once
// it runs gets a scope of its own.
probes::asio::awaitable<probes::ChildResult> run_trusted(probes::ChildSpec spec);

}  // namespace watcher
