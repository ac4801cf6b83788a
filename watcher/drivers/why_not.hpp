#pragma once

#include <string>
#include <vector>

namespace watcher {

struct Startable {
  std::vector<std::string> argv;  // empty: there is no command, and nothing is wrong with it
  std::string dir;
  std::string user;                // empty: ours
  std::vector<std::string> env{};  // NAME=VALUE, besides ours
};

// Why the command could not be started now, or must not be because it would stop us, and what to do, for people;
// empty: it could. Starts nothing.
std::string why_not_started(const Startable& command);

// Why it could not be given that file as its standard input, or have its output put there, which we open; empty: it
// could.
std::string why_not_read(const std::string& file);
std::string why_not_written(const std::string& file);

// Why nothing could be written below that folder now, and what to do; empty: it could. A folder that is not there is
// told by whatever is run in it.
std::string why_not_writable(const std::string& dir);

}  // namespace watcher
