#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// What `git ... -z` printed, name by name.
std::vector<std::string> names_in(std::string_view listing);

// Which of the files that git does not know (`others`) a checkout would have to remove to write those that are coming:
// the same name, a file where a folder is coming, whatever lies in a folder where a file is coming.
// A repository inside the tree is one name that ends with '/'.
std::vector<std::string> files_in_the_way(std::vector<std::string> coming, const std::vector<std::string>& others);

}  // namespace watcher
