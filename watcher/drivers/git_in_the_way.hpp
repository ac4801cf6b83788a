#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// What `git ... -z` printed, name by name.
std::vector<std::string> names_in(std::string_view listing);

// What a checkout is going to write, by what `git diff-index --raw -z` says of the commit.
struct GitComing {
  std::vector<std::string> files;
  std::vector<std::string> submodules;
};
GitComing coming_in(std::string_view raw_listing);

// Which of the files that git does not know (`others`) a checkout would have to remove to write those that are coming:
// the same name, a file where a folder is coming, whatever lies in a folder where a file is coming.
// A repository inside the tree is one name that ends with '/';
// one where a submodule is coming is that submodule, left from when it was last there.
std::vector<std::string> files_in_the_way(GitComing coming, const std::vector<std::string>& others);

}  // namespace watcher
