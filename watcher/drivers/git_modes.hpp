#pragma once

#include <string>
#include <vector>

namespace watcher {

// What git does not know of a file or folder: who else may use it. It knows whether a file may be run, no more.
struct GitFileMode {
  std::string name;   // from the top of the tree, or the whole path
  unsigned mode = 0;  // the permissions, as chmod(1) takes them
  unsigned uid = 0;
  unsigned gid = 0;
};

// Of those files that are there, and of the folders that they lie in; links have none, and none is followed.
std::vector<GitFileMode> modes_of(const std::string& top, const std::vector<std::string>& files);

// Gives back what git has written anew without: `writer` is whom git runs as, whose the files have to be now. Times are
// not given back: what a build makes of the target would look newer than what it has to be made of again. Those that
// could not be given back are returned.
std::vector<GitFileMode> give_modes_back(const std::string& top, const std::vector<GitFileMode>& modes,
                                         const std::string& writer);

// Those of them that git would not give a file that `writer` writes anew.
std::vector<GitFileMode> unlike_git_s(std::vector<GitFileMode> modes, const std::string& writer);

// The commands that give them, behind each other, after `writer` has written those files anew, by their whole paths.
// Empty: there is nothing to do.
std::string commands_for(const std::vector<GitFileMode>& modes, const std::string& writer);

}  // namespace watcher
