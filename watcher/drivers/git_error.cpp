#include "watcher/drivers/git_error.hpp"

#include <array>
#include <string_view>

#include "probes/parse/number.hpp"
#include "watcher/report/time_limits.hpp"

namespace watcher {

namespace {

struct Advice {
  std::string_view said;  // by git, in English
  std::string_view then;  // DIR stands for the working tree
};

// The first that fits counts.
constexpr std::array<Advice, 16> advices{{
    {"dubious ownership", "chown DIR and all in it to one user, or say user = \"NAME\""},
    {"not a git repository", "git clone the application to DIR, or correct `dir`"},
    {"does not exist", "git clone the application to DIR, or correct `dir`"},
    {"no such command", "apt install git"},
    {"No space left", "make room on the disk of DIR"},
    {"Read-only file system", "mount the disk of DIR for writing"},
    {"Permission denied", "let the user whom git runs as read and write all of DIR, or say user = \"NAME\""},
    {"insufficient permission", "let the user whom git runs as read and write all of DIR, or say user = \"NAME\""},
    {"Needed a single revision", "git -C DIR status to see what HEAD is; a branch without a commit is no release"},
    {"is corrupt", "git -C DIR fsck, then fetch or clone again"},
    {"is empty", "git -C DIR fsck, then fetch or clone again"},
    {"bad object", "git -C DIR fsck, then fetch or clone again"},
    {"did not match any file", "correct `paths`, which are seen from DIR"},
    {"clean filter '", "install what that filter of git runs"},
    {"bad config line", "correct that line of git's configuration"},
    {"bad signature", "remove DIR/.git/index, then git -C DIR reset"},
}};

std::string advice_for(std::string_view said, const std::string& dir) {
  for (const Advice& advice : advices) {
    if (said.find(advice.said) == said.npos) continue;
    std::string then = "; do " + std::string(advice.then);
    for (std::size_t at = then.find("DIR"); at != std::string::npos; at = then.find("DIR", at + dir.size())) {
      then.replace(at, 3, dir);
    }
    return then;
  }
  return {};
}

}  // namespace

GitError error_of(const probes::ChildSpec& spec, const std::string& subcommand, const probes::ChildResult& child) {
  constexpr std::size_t shown_max = 500;  // bytes; git names every file that is in the way
  GitError error;
  error.timed_out = child.end == probes::ChildEnd::timed_out;
  error.called_off = child.end == probes::ChildEnd::cancelled;
  error.what = "git " + subcommand + " in " + spec.dir + ": ";
  if (error.timed_out) {
    error.what += took_longer(spec.limit) + "; do look whether its disk hangs";
    return error;
  }
  std::string_view said = child.error;
  if (child.end != probes::ChildEnd::not_started) said = probes::trimmed(child.output);
  const std::string advice = advice_for(said, spec.dir);
  // What git advises beyond its first line is not ours to advise.
  if (!advice.empty()) said = said.substr(0, said.find('\n'));
  error.what += said.empty() ? "exit code " + std::to_string(child.exit_code) : std::string(said.substr(0, shown_max));
  error.what += advice;
  return error;
}

}  // namespace watcher
