#include "watcher/drivers/why_not_runnable.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "watcher/drivers/beginning_of.hpp"
#include "watcher/drivers/command_words.hpp"
#include "watcher/drivers/may.hpp"
#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

using std::string_view;
using Words = std::span<const std::string>;

constexpr int depth_max = 8;  // `sudo env timeout 5 ./x.sh` and the interpreters of that
// Where sudo and doas look, whatever our PATH is.
constexpr string_view secure_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool is_text(string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) { return c >= 0 && c < '\t'; });
}

std::vector<std::string> words_of(string_view line) {
  std::vector<std::string> out;
  for (std::size_t at = line.find_first_not_of(" \t"); at != string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    out.emplace_back(line.substr(at, end - at));
    at = line.find_first_not_of(" \t", end);
  }
  return out;
}

// Where a name without a slash is looked for.
enum class Path { ours, ours_or_secure, of_its_own };

// How one of the commands behind each other is started.
struct Start {
  Credentials who;
  Path path = Path::ours;
  int depth = depth_max;  // that may still follow

  Start deeper() const { return {who, path, depth - 1}; }
};

class Look {
 public:
  explicit Look(const std::string& dir) : dir_(dir) {}

  std::string at(Words words, const Start& start) const;

 private:
  std::string in_path(const std::string& name, const Start& start, std::string& found) const;
  std::string why_not_file(const std::string& word, const Credentials& who, bool is_script) const;
  std::string at_beginning(const std::string& word, const Start& start) const;
  std::string at_script(const std::string& word, const Start& start) const;
  std::string at_next(Words words, const Start& start) const;
  bool is_from_dir(const std::string& word) const { return word.front() != '/' && !dir_.empty(); }
  std::string there(const std::string& word) const { return is_from_dir(word) ? dir_ + "/" + word : word; }

  const std::string& dir_;
};

std::string why_not_run(const std::string& file, const struct stat& entry, const Credentials& who) {
  struct statvfs disk {};
  if ((entry.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0) return file + " may not be run; do chmod +x " + file;
  if (::statvfs(file.c_str(), &disk) == 0 && (disk.f_flag & ST_NOEXEC) != 0)
    return file + " may not be run, its disk is mounted noexec; do mount it otherwise, or put it elsewhere";
  return file + " may not be run by " + who.name + "; do chmod +rx " + file + ", or chown it";
}

// Why it cannot be run, or be read as a script, by that user.
std::string Look::why_not_file(const std::string& word, const Credentials& who, bool is_script) const {
  const std::string file = there(word);
  // It is started in `dir`, whoever may go there.
  if (const auto closed = closed_folder(file, who, is_from_dir(word) ? dir_.size() : 0)) {
    return file + " is out of reach of " + who.name + ", who may not enter " + *closed +
           "; do put it elsewhere, or chmod o+x " + *closed;
  }
  struct stat entry {};
  if (::stat(file.c_str(), &entry) != 0) {
    return file + (is_script ? ": no such file; do put it there, or correct the command"
                             : ": no such command; do install it, or correct the path");
  }
  if (!is_script && !S_ISREG(entry.st_mode)) return file + " is no file that could be run; do correct the path";
  if (allows(file, who, is_script ? Want::read : Want::run)) return {};
  return is_script ? file + " may not be read by " + who.name + "; do chmod +r " + file : why_not_run(file, entry, who);
}

std::string folders_of(Path path) {
  const char* const ours = std::getenv("PATH");
  std::string out = ours == nullptr ? "/bin:/usr/bin" : ours;
  if (path == Path::ours_or_secure) out += ":" + std::string(secure_path);
  return out;
}

// Empty, and where it was found; or why it was not.
std::string Look::in_path(const std::string& name, const Start& start, std::string& found) const {
  if (start.path == Path::of_its_own) return {};
  std::string refused = name + ": no such command in PATH; do install it, or give its full path";
  const std::string all = folders_of(start.path);
  for (string_view folders = all; !folders.empty();) {
    const string_view folder = folders.substr(0, folders.find(':'));
    folders.remove_prefix(std::min(folder.size() + 1, folders.size()));
    const std::string file = (folder.empty() ? "." : std::string(folder)) + "/" + name;
    struct stat entry {};
    if (::stat(file.c_str(), &entry) != 0 || !S_ISREG(entry.st_mode)) continue;
    std::string why = why_not_file(file, start.who, false);
    if (why.empty()) {
      found = file;
      return {};
    }
    refused = std::move(why);
  }
  return refused;
}

std::string Look::at_beginning(const std::string& word, const Start& start) const {
  const std::string file = there(word);
  const std::optional<std::string> beginning = beginning_of(file);
  if (!beginning) return {};
  // What execs it with execvp(3), as setpriv does, has a shell run it.
  const bool by_kernel = start.depth == depth_max && start.who.are_ours;
  if (!beginning->starts_with("#!")) {
    const bool is_nothing = by_kernel && is_text(*beginning);
    return is_nothing ? file + " does not begin with what runs it; do let its first line be #!/bin/sh" : std::string();
  }
  std::string why = why_not_file(word, start.who, true);
  if (!why.empty()) return why;
  const string_view line = string_view(*beginning).substr(2, beginning->find('\n') - 2);
  if (line.ends_with('\r')) {
    return file + " has lines that end as those of Windows do, so that no interpreter of that name is found; do sed " +
           "-i 's/\\r$//' " + file;
  }
  std::vector<std::string> words = words_of(line);
  if (words.empty()) return {};
  why = why_not_file(words.front(), start.who, false);
  // All that stands behind the interpreter is one word, unless `env -S` takes it apart.
  const bool splits = words.size() > 2 && (words[1] == "-S" || words[1] == "--split-string");
  if (splits) words.erase(words.begin() + 1);
  const bool is_env = words.front().ends_with("/env") && (splits || words.size() == 2);
  if (why.empty() && is_env) why = at_next(words, start);
  return why.empty() ? why : file + " begins with #!" + visible(line) + ", and " + why;
}

std::string Look::at_script(const std::string& word, const Start& start) const {
  // What stands for a revision is not known yet.
  if (word.find('{') != std::string::npos) return {};
  std::string why = why_not_file(word, start.who, true);
  // A shell looks for it in PATH, too.
  std::string found;
  if (!why.empty() && word.find('/') == std::string::npos && in_path(word, start, found).empty()) return {};
  return why;
}

std::string Look::at_next(Words words, const Start& start) const {
  const RunsNext next = runs_next(words);
  if (start.depth == 0) return {};
  Start then = start.deeper();
  if (next.what == RunsNext::What::script) return at_script(next.words.front(), then);
  if (next.what != RunsNext::What::command) return {};
  if (next.changes_user) {
    std::optional<Credentials> other = credentials_of(next.user.empty() ? "root" : next.user);
    if (!other) return {};
    then.who = std::move(*other);
    then.path = Path::ours_or_secure;
  }
  if (next.sets_path) then.path = Path::of_its_own;
  return at(next.words, then);
}

std::string Look::at(Words words, const Start& start) const {
  const std::string& word = words.front();
  if (word.empty() || word.find('{') != std::string::npos) return {};
  const bool is_name = word.find('/') == std::string::npos;
  std::string file;
  std::string why = is_name ? in_path(word, start, file) : why_not_file(word, start.who, false);
  const bool is_found = !is_name || !file.empty();
  if (why.empty() && is_found) why = at_beginning(is_name ? file : word, start);
  return why.empty() ? at_next(words, start) : why;
}

}  // namespace

std::string why_not_runnable(const Startable& command) {
  if (command.argv.empty()) return {};
  std::optional<Credentials> who = credentials_of(command.user);
  // That there is no such user is told by whoever starts it.
  if (!who) return {};
  return Look(command.dir).at(command.argv, {std::move(*who)});
}

}  // namespace watcher
