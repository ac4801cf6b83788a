#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <string>

namespace watcher {

// JSON that is the same for the same meaning: names sorted, without the members of objects that `says_nothing` is true
// of.
std::string in_order(const boost::json::value& value,
                     const std::function<bool(const boost::json::value&)>& says_nothing);

}  // namespace watcher
