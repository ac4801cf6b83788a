#pragma once

#include <map>
#include <string>
#include <variant>

namespace watcher {

struct ComposePinned {
  std::string text;
};

// A project as `compose config` writes it (block style, two blanks a level), with the image of these services set to
// those and nothing left by which they would be built or pulled. A string: why it cannot be, for people.
std::variant<ComposePinned, std::string> pinned(const std::string& configuration,
                                                const std::map<std::string, std::string>& images, bool knows_policy);

}  // namespace watcher
