#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/engine/commands.hpp"

namespace watcher {

// What a template may have in braces: {title}.
struct MessageField {
  std::string_view name;
  std::string_view doc;  // for people
  std::string (*of)(const rules::Tell& tell, const std::string& watcher_name) = nullptr;
};

// In the order in which they are told.
std::span<const MessageField> message_fields();

// The names in braces that are no field, each once. What has braces and no name in them is none: JSON.
std::vector<std::string> unknown_fields(std::string_view pattern);

// What of a template cannot be meant: a field in other letters, one that is not closed, nothing at all, or what begins
// as JSON and is none once it is filled in. For people; empty: nothing.
std::string wrong_template(std::string_view pattern);

// The pattern with each field replaced by `escaped` of what it stands for; what a value says is not looked at again.
std::string from_template(std::string_view pattern, const rules::Tell& tell, const std::string& watcher_name,
                          const std::function<std::string(std::string_view)>& escaped);

}  // namespace watcher
