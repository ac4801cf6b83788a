#include "watcher/drivers/json_order.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <utility>
#include <vector>

namespace watcher {

namespace json = boost::json;

std::string in_order(const json::value& value, const std::function<bool(const json::value&)>& says_nothing) {
  if (value.is_array()) {
    std::string out = "[";
    for (const json::value& one : value.get_array()) out += in_order(one, says_nothing) + ",";
    return out + "]";
  }
  if (!value.is_object()) return json::serialize(value);
  std::vector<std::pair<std::string, const json::value*>> members;
  for (const auto& one : value.get_object()) {
    if (!says_nothing(one.value())) members.emplace_back(std::string(one.key()), &one.value());
  }
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out = "{";
  for (const auto& [name, member] : members) {
    out += json::serialize(json::value(name)) + ":" + in_order(*member, says_nothing) + ",";
  }
  return out + "}";
}

}  // namespace watcher
