#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>

#include "watcher/cli/command_line.hpp"

namespace watcher {

using OpenIncidents = std::map<std::string, boost::json::value>;  // by service, where the watcher said more of it

// Asks for each incident that the status names.
OpenIncidents open_incidents(const CommandLine& line, const boost::json::value& status);

const boost::json::value& of_service(const OpenIncidents& incidents, const std::string& service);

// "web has an open incident (asking, because its mode is ask): waits for a person: rollbackd approve i7, ..."
std::string about_incident(const std::string& service, const std::string& id, const boost::json::value& incident);

}  // namespace watcher
