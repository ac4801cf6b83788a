#include "watcher/drivers/systemd_link.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "probes/net/descriptor.hpp"
#include "watcher/drivers/may.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/trusted_path.hpp"
#include "watcher/drivers/why_not.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;

// A last `/` names the same folder.
fs::path plain(const std::string& path) {
  fs::path out = fs::path(path).lexically_normal();
  return out.has_filename() ? out : out.parent_path();
}

std::string folder_of(const std::string& link) { return plain(link).parent_path().string(); }

// Without links as far as it is there.
std::string resolved(const fs::path& path) {
  std::error_code failure;
  const fs::path real = fs::weakly_canonical(path, failure);
  return plain(failure ? path.string() : real.string()).string();
}

bool is_name(const std::string& release) {
  return rules::is_safe_in_argv(rules::Revision(release)) && release.find('/') == std::string::npos;
}

// A group may share a folder with its owner, not with root.
std::string opened_to_others(const std::string& folder, const std::string& owner) {
  const bool is_theirs = !owner.empty() && owner != "root";
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0) return {};
  const bool is_open = (found.st_mode & S_IWOTH) != 0 || (!is_theirs && (found.st_mode & S_IWGRP) != 0);
  return is_open ? changed_by_others(folder, owner).value_or(std::string()) : std::string();
}

// Whoever may write where the releases lie may put another folder in the place of one.
std::string why_exchanged(const SystemdDriver& config) {
  const std::string releases = releases_of(config);
  const std::string unsafe = opened_to_others(releases, runs_as(releases, {}).user);
  return unsafe.empty() ? unsafe : "other users could exchange the releases: " + unsafe;
}

std::string last_error() { return std::strerror(errno); }

}  // namespace

std::string releases_of(const SystemdDriver& config) {
  return resolved(config.releases.empty() ? fs::path(folder_of(config.link)) / "releases" : fs::path(config.releases));
}

std::string release_in(const std::string& path, const std::string& releases) {
  if (!path.starts_with(releases + "/")) return {};
  std::string name = path.substr(releases.size() + 1);
  name.resize(std::min(name.find('/'), name.size()));
  constexpr std::string_view removed = " (deleted)";  // the kernel's word for what is there no more
  if (name.ends_with(removed)) name.resize(name.size() - removed.size());
  return name;
}

ReleaseLink read_release_link(const SystemdDriver& config) {
  ReleaseLink out;
  const std::string link = plain(config.link).string();
  struct stat found {};
  if (::lstat(link.c_str(), &found) != 0) {
    out.error = link + " is not there; do ln -s the release that runs to it, or correct `link`";
    return out;
  }
  if (!S_ISLNK(found.st_mode)) {
    out.error = link + " is no symbolic link; do move it below the releases, and ln -s it from there";
    return out;
  }
  std::error_code failure;
  out.text = fs::read_symlink(link, failure).string();
  if (failure) {
    out.error = "read " + link + ": " + failure.message() + "; do look at it as root";
    return out;
  }
  out.changed_at =
      rules::Instant(std::chrono::seconds(found.st_ctim.tv_sec) +
                     std::chrono::duration_cast<rules::Duration>(std::chrono::nanoseconds(found.st_ctim.tv_nsec)));
  const std::string releases = releases_of(config);
  const std::string target = resolved(fs::path(folder_of(link)) / out.text);
  out.release = release_in(target, releases);
  if (out.release.empty() || target != releases + "/" + out.release) {
    out.error = link + " points to " + target + ", which is no release in " + releases + "; do correct `releases`";
    out.release.clear();
  } else if (!is_name(out.release)) {
    out.error = "\"" + out.release + "\" is no name of a revision; it begins with a letter or digit, and then has " +
                "those and . _ : @ -";
    out.release.clear();
  }
  return out;
}

std::string why_no_release(const SystemdDriver& config, const std::string& release) {
  const std::string folder = releases_of(config) + "/" + release;
  if (!is_name(release)) return "\"" + release + "\" is no name of a release";
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0)
    return folder + " is gone; do put that release there again, and keep more of them";
  if (!S_ISDIR(found.st_mode)) return folder + " is no folder; do put that release there";
  std::error_code failure;
  const fs::directory_iterator inside(folder, failure);
  if (failure) return "look into " + folder + ": " + failure.message() + "; do let rollbackd read it";
  if (inside == fs::directory_iterator()) return folder + " is empty; do put that release there again";
  const std::string unsafe = opened_to_others(folder, runs_as(folder, {}).user);
  if (!unsafe.empty()) return "other users could change the release: " + unsafe;
  return why_exchanged(config);
}

std::string why_no_link(const SystemdDriver& config) {
  const std::string folder = folder_of(config.link);
  const RunsAs as = runs_as(folder, {});
  if (!as.error.empty()) return as.error;
  const std::string unsafe = opened_to_others(folder, as.user);
  if (!unsafe.empty()) return "other users could change the link: " + unsafe;
  std::string refused = why_exchanged(config);
  if (refused.empty()) refused = why_not_writable(folder);
  if (!refused.empty()) return refused;
  const std::optional<Credentials> ourselves = credentials_of({});
  if (ourselves && !allows(folder, *ourselves, Want::write))
    return "rollbackd may not write into " + folder + "; do let it (ReadWritePaths= in its unit, or the folder's mode)";
  return {};
}

std::string link_text_for(const std::string& text, const std::string& release) {
  fs::path out = plain(text);
  return out.replace_filename(release).string();
}

std::optional<std::string> change_link(const std::string& link, const std::string& text) {
  const fs::path path = plain(link);
  const std::string name = path.filename().string();
  const std::string fresh = "." + name + ".rollbackd";
  const std::string attempt = "let " + path.string() + " point to " + text + ": ";
  const probes::Descriptor folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return attempt + last_error();
  struct stat before {};
  if (::fstatat(folder.number(), name.c_str(), &before, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(before.st_mode))
    return attempt + "it is no symbolic link any more";
  // One that our end left there.
  if (::unlinkat(folder.number(), fresh.c_str(), 0) != 0 && errno != ENOENT) return attempt + last_error();
  if (::symlinkat(text.c_str(), folder.number(), fresh.c_str()) != 0) return attempt + last_error();
  const bool is_ours = before.st_uid == ::geteuid();
  const bool given =
      is_ours || ::fchownat(folder.number(), fresh.c_str(), before.st_uid, before.st_gid, AT_SYMLINK_NOFOLLOW) == 0;
  const bool done = given && ::renameat(folder.number(), fresh.c_str(), folder.number(), name.c_str()) == 0;
  if (!done) {
    const std::string why = last_error();
    ::unlinkat(folder.number(), fresh.c_str(), 0);
    return attempt + why;
  }
  if (::fsync(folder.number()) != 0) return attempt + last_error();
  return std::nullopt;
}

}  // namespace watcher
