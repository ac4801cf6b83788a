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
  std::vector<std::string> leaving{};  // submodules that are here and not there
};
GitComing coming_in(std::string_view raw_listing);

// Which of the files that git does not know (`others`) a checkout would have to remove to write those that are coming:
// the same name, a file where a folder is coming, whatever lies in a folder where a file is coming.
// A repository inside the tree is one name that ends with '/';
// one where a submodule is coming is that submodule, left from when it was last there.
// What lies in a submodule that gives way to a file or folder of its name is not among them: see
// submodules_giving_way().
std::vector<std::string> files_in_the_way(GitComing coming, const std::vector<std::string>& others);

// The submodules that a file or folder which is coming takes the place of.
std::vector<std::string> submodules_giving_way(const GitComing& coming);

}  // namespace watcher
