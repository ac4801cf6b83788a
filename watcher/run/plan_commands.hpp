#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>
#include <vector>

#include "watcher/config/config.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// The actions that the rules of each service respond with, in the order of the configuration, which must outlive them.
using Responses = std::map<rules::ServiceName, std::vector<const rules::ActionSpec*>>;
Responses responses_of(const Config& config);
// Those that only a person begins: no rule responds with them.
std::vector<const rules::ActionSpec*> begun_by_hand(const Config& config);

// Where the steps run that have no folder of their own.
const std::string& dir_of(const DriverSection& section, const Config& config);

// Why one of these plans could not run now: a step of it that could not be started. For people, with what to do; empty:
// all could. Starts nothing. `dir`: where those steps run that have no folder of their own.
std::string why_plans_cannot_run(const std::vector<const rules::ActionSpec*>& plans, const std::string& dir);

// A file that is run only once another revision is checked out, and by what.
struct LaterFile {
  std::string owner;
  std::string path;
};
// By the driver and by these plans.
std::vector<LaterFile> files_run_there(const std::vector<const rules::ActionSpec*>& plans, const DriverSection& section,
                                       const std::string& dir);
// Why a switch to that revision could not be completed: it has not what is run then. Empty: it has, or nobody knows.
asio::awaitable<std::string> why_not_there(Driver& driver, std::vector<LaterFile> files, rules::Revision to);

}  // namespace watcher
