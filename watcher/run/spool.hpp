#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rules/engine/events.hpp"

namespace watcher {

// What deploy scripts said while no watcher ran: one file each under STATE/spool, taken up at the next start.
using SpooledWord = std::variant<rules::DeployMark, rules::Declare>;

struct Spooled {
  std::string file;  // to be removed when the word is durable elsewhere
  SpooledWord word;
};

// Words kept at most; beyond that spooling fails rather than filling the disk.
inline constexpr std::size_t spool_files_max = 1000;

// Durable on return. Returns what went wrong, for people; nothing on success.
std::optional<std::string> spool(const std::string& state_dir, const SpooledWord& word);

// Everything spooled, oldest first. Files that cannot be read are named in `unreadable` and left where they are.
std::vector<Spooled> read_spool(const std::string& state_dir, std::vector<std::string>& unreadable);

void remove_spooled(const Spooled& spooled);

}  // namespace watcher
