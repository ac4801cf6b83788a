#include "watcher/drivers/git_modes.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "probes/net/descriptor.hpp"
#include "rules/base/shell_words.hpp"
#include "watcher/drivers/runs_as.hpp"

namespace watcher {

namespace {

constexpr std::size_t files_max = 100'000;    // 0.2 s of looking, and 20 MiB
constexpr std::size_t entry_max = 16 * 1024;  // bytes of an account; what sysconf suggests is 1 KiB
constexpr unsigned usual_umask = 022;         // where /proc does not tell ours
constexpr unsigned mode_bits = 07777;         // what chmod sets
constexpr unsigned runs_as_owner = S_ISUID | S_ISGID;

struct Account {
  unsigned uid;
  unsigned gid;
};

// Empty: ourselves.
std::optional<Account> account_called(const std::string& name) {
  if (name.empty()) return Account{::geteuid(), ::getegid()};
  std::array<char, entry_max> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return Account{entry.pw_uid, entry.pw_gid};
}

std::string group_called(unsigned gid) {
  std::array<char, entry_max> buffer;
  group entry{};
  group* found = nullptr;
  const bool known = ::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  return known ? entry.gr_name : std::to_string(gid);
}

std::string user_called(unsigned uid) {
  const std::string name = account_of(uid);
  return name.empty() ? std::to_string(uid) : name;
}

// That our children have as well. Asking the kernel by umask(2) would change it for a moment.
unsigned our_umask() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    unsigned mask = usual_umask;
    if (word == "Umask:" && status >> std::oct >> mask) return mask;
  }
  return usual_umask;
}

bool is_like(const GitFileMode& a, const GitFileMode& b) {
  return a.mode == b.mode && a.uid == b.uid && a.gid == b.gid;
}

GitFileMode mode_in(std::string name, const struct stat& status) {
  return {std::move(name), status.st_mode & mode_bits, status.st_uid, status.st_gid};
}

void add_folders_of(const std::string& file, std::set<std::string>& folders) {
  for (std::size_t slash = file.rfind('/'); slash != file.npos && slash > 0; slash = file.rfind('/', slash - 1)) {
    if (!folders.insert(file.substr(0, slash)).second) return;
  }
}

// Whoever owns the tree may exchange a folder on the way for a link while we go there: no link is followed, and nothing
// that lies outside is reached. The file is not opened for reading, which a device or a pipe might take for a sign.
probes::Descriptor reach(int top, const std::string& name) {
  open_how how{};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return probes::Descriptor(static_cast<int>(::syscall(SYS_openat2, top, name.c_str(), &how, sizeof how)));
}

// Only what the writer owns, and knows under one name: a second one may be of a file that matters elsewhere.
bool give_back(int top, const GitFileMode& wanted, const Account& writer) {
  const probes::Descriptor file = reach(top, wanted.name);
  struct stat status {};
  if (!file.is_open() || ::fstat(file.number(), &status) != 0) return false;
  const GitFileMode found = mode_in(wanted.name, status);
  if (is_like(found, wanted)) return true;
  const bool is_file = S_ISREG(status.st_mode) && status.st_nlink == 1;
  if ((!is_file && !S_ISDIR(status.st_mode)) || status.st_uid != writer.uid) return false;
  // What the writer has put there must not run as somebody else.
  const bool other_owner = wanted.uid != found.uid || wanted.gid != found.gid;
  if (other_owner && is_file && (wanted.mode & runs_as_owner) != 0) return false;
  const std::string path = "/proc/self/fd/" + std::to_string(file.number());
  if (other_owner && ::chown(path.c_str(), wanted.uid, wanted.gid) != 0) return false;
  return ::chmod(path.c_str(), wanted.mode) == 0;
}

}  // namespace

std::vector<GitFileMode> modes_of(const std::string& top, const std::vector<std::string>& files) {
  std::vector<GitFileMode> modes;
  std::set<std::string> folders;
  const auto add = [&](const std::string& name) {
    struct stat status {};
    if (modes.size() >= files_max || ::lstat((top + "/" + name).c_str(), &status) != 0) return;
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) modes.push_back(mode_in(name, status));
  };
  for (const std::string& file : files) {
    add_folders_of(file, folders);
    add(file);
  }
  // The inner ones first: one that its owner may not enter any more hides them.
  std::for_each(folders.rbegin(), folders.rend(), add);
  return modes;
}

std::vector<GitFileMode> give_modes_back(const std::string& top, const std::vector<GitFileMode>& modes,
                                         const std::string& writer) {
  const std::optional<Account> account = account_called(writer);
  const probes::Descriptor folder(::open(top.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!account || !folder.is_open()) return modes;
  std::vector<GitFileMode> left;
  for (const GitFileMode& mode : modes) {
    struct stat status {};
    // What is not there any more was taken away on purpose, or is told of by whoever compares the tree.
    if (::lstat((top + "/" + mode.name).c_str(), &status) != 0) continue;
    if (!is_like(mode_in(mode.name, status), mode) && !give_back(folder.number(), mode, *account)) left.push_back(mode);
  }
  return left;
}

std::vector<GitFileMode> unlike_git_s(std::vector<GitFileMode> modes, const std::string& writer) {
  const unsigned mask = our_umask();
  const std::optional<Account> account = account_called(writer);
  std::erase_if(modes, [&](const GitFileMode& mode) {
    const unsigned asked = (mode.mode & S_IXUSR) != 0 ? 0777 : 0666;
    return mode.mode == (asked & ~mask) && account && mode.uid == account->uid && mode.gid == account->gid;
  });
  return modes;
}

std::string commands_for(const std::vector<GitFileMode>& modes, const std::string& writer) {
  const std::optional<Account> account = account_called(writer);
  std::map<std::string, std::string> commands;  // each with the files
  for (const GitFileMode& mode : modes) {
    const std::string file = " " + rules::shell_word(mode.name);
    std::array<char, 8> octal{};
    std::snprintf(octal.data(), octal.size(), "%03o", mode.mode);
    commands["chmod " + std::string(octal.data())] += file;
    if (account && mode.uid == account->uid && mode.gid == account->gid) continue;
    commands["chown " + user_called(mode.uid) + ":" + group_called(mode.gid)] += file;
  }
  // chown after chmod: it is for root alone, and what can be done without him is done before it.
  std::string text;
  for (const auto& [command, files] : commands) text += (text.empty() ? "" : " && ") + command + files;
  return text;
}

}  // namespace watcher
