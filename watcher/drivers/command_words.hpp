#pragma once

#include <span>
#include <string>
#include <vector>

namespace watcher {

// What the program that a command line starts is told by the words behind it to run.
struct RunsNext {
  enum class What {
    nothing,  // it is an ordinary program, or what it runs stands inline (`sh -c`)
    unknown,  // its options are more than is known here
    command,  // `words` is a command line again, as behind `env` and `timeout 5`
    script,   // `words` begins with the file that it reads, as behind `sh` and `python3`
  };
  What what = What::nothing;
  std::span<const std::string> words{};
  bool changes_user = false;  // as `user` says; empty: as root
  std::string user{};
  bool sets_path = false;  // as `env PATH=...`
};

// Of an argv that is not empty. Looks at words alone, at no file.
RunsNext runs_next(std::span<const std::string> argv);

}  // namespace watcher
