#pragma once

#include <optional>
#include <string>

#include "rules/base/time.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

// The symbolic link, and the release that it points to.
struct ReleaseLink {
  std::string error;          // for people, with what to do; empty: all below is known
  std::string text;           // what the link says, as it stands
  std::string release;        // the name of the folder below the releases
  rules::Instant changed_at;  // by the wall clock
};

// Where the releases lie, without links on the way where it is there.
std::string releases_of(const SystemdDriver& config);

ReleaseLink read_release_link(const SystemdDriver& config);

// The release below which the path lies; empty: it lies elsewhere. `releases` is without links.
std::string release_in(const std::string& path, const std::string& releases);

// Why a link to that release could not be made, or would lead to nothing, for people, with what to do; empty: it could.
std::string why_no_release(const SystemdDriver& config, const std::string& release);
// The same of the link's own folder.
std::string why_no_link(const SystemdDriver& config);

// What the link has to say to point to that release, in the manner of `text`, what it says now.
std::string link_text_for(const std::string& text, const std::string& release);

// Has the link say that, so that whoever follows it finds the one or the other, also after a power cut. It stays whose
// it is. Returns what went wrong, for people.
std::optional<std::string> change_link(const std::string& link, const std::string& text);

}  // namespace watcher
