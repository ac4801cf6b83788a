#include "watcher/drivers/git_aftermath.hpp"

#include "rules/base/shell_words.hpp"

namespace watcher {

namespace {

std::string git_in(const GitRepository& repository) { return "git -C " + rules::shell_word(repository.dir()); }

std::string how_to_return(const GitRepository& repository, const GitAftermath& aftermath) {
  const std::string way = way_back(repository, aftermath);
  if (way.empty()) return way;
  if (!repository.paths().empty())
    return "Only the service's paths are those of " + aftermath.left_at +
           ". HEAD still has what was left, and with it back the next restart starts that: once it is mended there, to "
           "return to HEAD's: " +
           way + "\n";
  return "HEAD is detached at " + aftermath.left_at + ". " + aftermath.branch +
         " still is at what was left, and with it checked out the next restart starts that: once it is mended there, "
         "to "
         "return to the branch: " +
         way + "\n";
}

// `where`: of which tree.
// "Files that git does not track": which, in parentheses behind it.
std::string names_of(const GitPutAway& put_away) {
  if (put_away.aside_names.empty()) return {};
  std::string text;
  for (const std::string& name : put_away.aside_names) text += (text.empty() ? " (" : ", ") + rules::shell_word(name);
  if (put_away.aside_unnamed > 0) text += " and " + std::to_string(put_away.aside_unnamed) + " more";
  return text + ")";
}

std::string copies_of(const std::string& where, const GitPutAway& put_away) {
  std::string text;
  if (!put_away.stash.empty()) {
    text +=
        "Local changes" + where + " are back as they were; a copy is stashed as \"" + put_away.stash_message + "\"\n";
  }
  if (!put_away.aside.empty()) {
    text += "Files" + where + " that git does not track were in the way" + names_of(put_away) +
            " and are back; a copy is stashed as \"" + put_away.aside_message + "\"\n";
  }
  return text;
}

std::string modes_lost(const GitPutAway& put_away, const std::string& writer) {
  if (put_away.modes.empty()) return {};
  const std::string more =
      put_away.modes_unnoted == 0 ? "" : " (" + std::to_string(put_away.modes_unnoted) + " more had others)";
  return "A stash keeps neither modes nor owners" + more +
         "; when all is back, give them back: " + commands_for(put_away.modes, writer) + "\n";
}

// `returned`: what has to be done first. `writer`: whom git runs as.
std::string ways_to_have_back(const std::string& git, const std::string& where, const std::string& returned,
                              const GitPutAway& put_away, const std::string& writer) {
  if (put_away.is_back) return copies_of(where, put_away);
  std::string text;
  if (!put_away.stash.empty()) {
    text += "Local changes" + where + " are stashed as \"" + put_away.stash_message + "\"; " + returned +
            "to have them back: " + git + " stash apply " + put_away.stash + "\n";
  } else if (!put_away.stash_message.empty()) {
    text += "Local changes" + where + " may be stashed as \"" + put_away.stash_message +
            "\"; look for them with: " + git + " stash list\n";
  }
  if (!put_away.aside.empty()) {
    text += "Files" + where + " that git does not track were in the way" + names_of(put_away) +
            " and are stashed as \"" + put_away.aside_message + "\"; " + returned + "to have those back: " + git +
            " stash apply " + put_away.aside + "\n";
  } else if (!put_away.aside_message.empty()) {
    text += "Files" + where + " that git does not track may be stashed as \"" + put_away.aside_message +
            "\"; look for them with: " + git + " stash list\n";
  }
  return text + modes_lost(put_away, writer);
}

// A submodule is named with its way back, which is one after the tree's own.
std::string left_inside(const GitLeftInside& left, const std::string& returned, const std::string& writer) {
  const std::string git = "git -C " + rules::shell_word(left.dir);
  std::string text;
  if (!left.was_at.empty()) {
    text += "The submodule " + left.dir + " was at " + left.was_at + ", which is not what the release had; " +
            returned + "to have that back: " + git + " checkout " + rules::shell_word(left.was_at) + "\n";
  }
  return text + ways_to_have_back(git, " in " + left.dir, returned, left.put_away, writer);
}

}  // namespace

std::string way_back(const GitRepository& repository, const GitAftermath& aftermath) {
  const std::string git = git_in(repository);
  std::string text;
  if (!repository.paths().empty()) {
    text = git + " restore --source=HEAD --staged --worktree --";
    for (const std::string& path : repository.paths()) text += " " + rules::shell_word(path);
  } else if (!aftermath.branch.empty()) {
    text = git + " checkout " + rules::shell_word(aftermath.branch);
  } else {
    return text;
  }
  if (aftermath.submodules) text += " && " + git + " submodule update --init --recursive";
  return text;
}

std::string aftermath_text(const GitRepository& repository, const GitAftermath& aftermath) {
  const std::string git = git_in(repository);
  const std::string writer = repository.git().user();
  std::string text;
  if (!aftermath.left_at.empty()) text += how_to_return(repository, aftermath);
  const std::string returned = text.empty() ? "" : "once returned, ";
  // What was there before anything was done is in the first.
  for (const GitPutAway& earlier : aftermath.earlier) text += ways_to_have_back(git, "", returned, earlier, writer);
  text += ways_to_have_back(git, "", returned, aftermath.put_away, writer);
  const std::string during = ways_to_have_back(git, "", returned, aftermath.during, writer);
  if (!during.empty()) text += "Meanwhile, while the target was checked out, something was changed. " + during;
  for (const GitLeftInside& left : aftermath.inside) text += left_inside(left, returned, writer);
  return text;
}

}  // namespace watcher
