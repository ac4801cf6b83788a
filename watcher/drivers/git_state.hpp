#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/drivers/git_modes.hpp"

namespace watcher {

// A place that we left, or were about to leave, the working tree at. Git knows what is checked out but not what runs:
// as long as the tree is as we left it, `running` is the answer; once somebody else has moved it, HEAD is.
struct GitPlace {
  std::string head;     // the commit that HEAD is at
  std::string mark;     // how the newest line of HEAD's reflog ends; empty when HEAD was not moved (partial)
  std::string target;   // partial: the commit that the paths are as in
  std::string running;  // empty: a restart was begun and has not completed, so nobody knows
};

// What was put away of one working tree.
struct GitPutAway {
  std::string stash;          // id of the stash; empty: none was made, or the switch died before it was noted
  std::string stash_message;  // under which local changes were put away; empty: there were none
  std::string aside;          // id of the stash with files that were in the way of the checkout, as `stash` is
  std::string aside_message;  // under which those were put away; empty: there were none
  bool is_back = false;       // all of it was given back; what was stashed is a copy
  // Of what was put away, who may use it where git will not give it back so; at most git_modes_noted_max.
  std::vector<GitFileMode> modes{};
  std::size_t modes_unnoted = 0;  // how many more there were
  // Which files were in the way; at most git_names_noted_max.
  std::vector<std::string> aside_names{};
  std::size_t aside_unnamed = 0;  // how many more there were
};

// What a switch found in a submodule that was not as the tree had it.
struct GitLeftInside {
  std::string dir;
  std::string was_at;  // the branch or commit that it was at; empty: at the one that the tree had
  GitPutAway put_away;
};

// What a switch left behind for people.
struct GitAftermath {
  std::string incident;
  std::string branch;  // that HEAD was on; empty: it was detached already
  GitPutAway put_away;
  std::string left_at;                // the commit that the tree (or its paths) was left at; empty: it is where it was
  bool submodules = false;            // the tree has some, here or there: whoever returns has to take them along
  std::vector<GitLeftInside> inside;  // its submodules, the outer ones first
  GitPutAway during;                  // what was changed while the target was checked out, and put away on going back
  std::vector<GitPutAway> earlier;    // by attempts of the same switch that our end broke off
  std::string from{};  // the commit that the tree (or its paths) was at before the first of them; empty: not known
};

// What the git driver remembers of one service, in a small file that is replaced as a whole before and after each deed.
struct GitState {
  std::vector<GitPlace> places;  // newest last; at most places_max
  GitAftermath aftermath;
};

// The place that may still be there, and the one that is about to be reached.
inline constexpr std::size_t git_places_max = 2;
// Files whose modes are noted of one stash: more would not be typed, and the notes would grow with the tree.
inline constexpr std::size_t git_modes_noted_max = 50;
inline constexpr std::size_t git_names_noted_max = 10;

std::string to_json(const GitState& state);
// nullopt: the text is not a state.
std::optional<GitState> parse_git_state(std::string_view text);

// Reads and writes STATE_DIR/git/SERVICE.json.
class GitStateFile {
 public:
  GitStateFile(const std::string& state_dir, const std::string& service);

  // An empty state when there is no file; nullopt when there is one that cannot be understood.
  std::optional<GitState> read() const;
  // Durable when it returns nullopt; otherwise what went wrong, for people.
  std::optional<std::string> write(const GitState& state) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace watcher
