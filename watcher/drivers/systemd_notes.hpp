#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/drivers/systemd_identity.hpp"

namespace watcher {

// What the systemd driver remembers of one service over a restart of ours.
struct SystemdNotes {
  SystemdMemory known;                 // before the link was changed by us
  std::string switching_to;            // a switch to that release was begun and has not completed; empty: none
  std::vector<std::string> aftermath;  // of the last switch, a line each
};

std::string to_json(const SystemdNotes& notes);
// nullopt: the text is none.
std::optional<SystemdNotes> parse_systemd_notes(std::string_view text);

// Reads and writes STATE_DIR/systemd/SERVICE.json.
class SystemdNotesFile {
 public:
  SystemdNotesFile(const std::string& state_dir, const std::string& service);

  // Empty ones when there is no file, or none that can be understood: then the link's time decides.
  SystemdNotes read() const;
  // Durable when it returns nullopt; otherwise what went wrong, for people.
  std::optional<std::string> write(const SystemdNotes& notes) const;

 private:
  std::string path_;
};

}  // namespace watcher
