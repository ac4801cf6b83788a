#pragma once

#include <boost/system/error_code.hpp>
#include <string>

#include "rules/base/fault.hpp"
#include "rules/base/time.hpp"

namespace probes {

// Faults of the network, each with what was attempted, on what, what happened and what to do. `attempt` is such as
// "connect 127.0.0.1:3001".

rules::Fault network_fault(const std::string& attempt, const boost::system::error_code& error);
rules::Fault timeout_fault(const std::string& attempt, rules::Duration limit);
rules::Fault cancelled_fault(const std::string& attempt);

}  // namespace probes
