#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// Fields of the status as the API gives it; what is missing, or of another kind, is empty.
const boost::json::object& object_at(const boost::json::value& value, std::string_view key);
double number_at(const boost::json::value& object, std::string_view key, double otherwise);
bool flag_at(const boost::json::value& object, std::string_view key);
const boost::json::array& array_at(const boost::json::value& object, std::string_view key);
std::vector<std::string> texts_at(const boost::json::value& object, std::string_view key);

// "40 % done, step 3 of 7, usually 2m more", of a service or an incident; empty: nothing is done about it.
std::string progress_text(const boost::json::value& object);

std::string joined(const std::vector<std::string>& words);  // "a, b"

}  // namespace watcher
