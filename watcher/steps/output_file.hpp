#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "rules/base/time.hpp"
#include "watcher/journal/files.hpp"

namespace watcher {

namespace asio = boost::asio;

// The file that a step's output goes to (`stdout`), which may be the only good backup there is: what a command writes
// goes beside it, as FILE.partial, and takes its place when the command has succeeded. What is no plain file (a device,
// a pipe) is written to as it is. Links are followed to where they lead, and stay.
class OutputFile {
 public:
  explicit OutputFile(std::string path);
  // Makes FILE.partial: with the owner and mode of FILE where that is there, else private. The trouble, or nullopt.
  std::optional<std::string> begin();
  // Open for writing once it has begun.
  int descriptor() const { return partial_.number(); }
  // The command succeeded. What was written is on the disk before it is renamed, within `limit`. The trouble, with what
  // became of what was written, or nullopt.
  asio::awaitable<std::optional<std::string>> put_in_place(rules::Duration limit);
  // The command failed: what it wrote is kept as FILE.failed, at most 16 MiB of it. What became of both, to be told;
  // empty: nothing to tell.
  std::string set_aside();

 private:
  std::string beside(const char* ending) const { return name_ + ending; }
  std::string shown(const char* ending) const { return path_ + ending; }

  std::string path_;  // where links lead
  std::string name_;  // in folder_
  Descriptor folder_;
  Descriptor partial_;
  bool is_direct_ = false;  // no plain file: written to as it is
  bool is_there_ = false;   // FILE, as it began
};

}  // namespace watcher
