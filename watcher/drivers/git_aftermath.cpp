#include "watcher/drivers/git_aftermath.hpp"

namespace watcher {

namespace {

// As a shell would have to be given it.
std::string quoted(const std::string& text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";
  if (!text.empty() && text.find_first_not_of(plain) == text.npos) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string way_back(const std::string& git, const std::vector<std::string>& paths, const GitAftermath& aftermath) {
  std::string text;
  if (!paths.empty()) {
    text = "Only the service's paths are those of " + aftermath.left_at + "; to return to HEAD's: " + git +
           " restore --source=HEAD --staged --worktree --";
    for (const std::string& path : paths) text += " " + quoted(path);
  } else if (!aftermath.branch.empty()) {
    text = "HEAD is detached at " + aftermath.left_at + "; to return to the branch: " + git + " checkout " +
           quoted(aftermath.branch);
  } else {
    return text;
  }
  if (aftermath.submodules) text += " && " + git + " submodule update --init --recursive";
  return text + "\n";
}

}  // namespace

std::string aftermath_text(const GitRepository& repository, const GitAftermath& aftermath) {
  const std::string git = "git -C " + quoted(repository.dir());
  std::string text;
  if (!aftermath.left_at.empty()) text += way_back(git, repository.paths(), aftermath);
  const std::string returned = text.empty() ? "" : "once returned, ";
  if (!aftermath.stash.empty()) {
    text += "Local changes are stashed as \"" + aftermath.stash_message + "\"; " + returned +
            "to have them back: " + git + " stash apply " + aftermath.stash + "\n";
  } else if (!aftermath.stash_message.empty()) {
    text += "Local changes may be stashed as \"" + aftermath.stash_message + "\"; look for them with: " + git +
            " stash list\n";
  }
  if (!aftermath.aside.empty()) {
    text += "Files that git does not track were in the way and are stashed as \"" + aftermath.aside_message + "\"; " +
            returned + "to have those back: " + git + " stash apply " + aftermath.aside + "\n";
  } else if (!aftermath.aside_message.empty()) {
    text += "Files that git does not track may be stashed as \"" + aftermath.aside_message +
            "\"; look for them with: " + git + " stash list\n";
  }
  return text;
}

}  // namespace watcher
