#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watcher {

// What the http driver remembers of its last request for a run. It is on the disk before the request is made: whatever
// happens then, the run is looked for by its id and never asked for again.
struct HttpNotes {
  std::string incident;
  std::int64_t count = 0;  // requests of this incident
  std::string id;          // that the run is called by; empty: none was asked for yet
  std::string from;
  std::string to;
  std::string since;        // from when on runs are listed: 2026-11-21T02:03:04Z
  bool is_settled = true;   // what became of it is known, and told
  std::string link;         // of the run, once it was seen
  bool is_unheard = false;  // its end was seen by a look alone: the switch that asked for it has not heard of it
};

std::string to_json(const HttpNotes& notes);
// nullopt: the text is none.
std::optional<HttpNotes> parse_http_notes(std::string_view text);

// Reads and writes STATE_DIR/http/SERVICE.json.
class HttpNotesFile {
 public:
  HttpNotesFile(const std::string& state_dir, const std::string& service);

  // `error`, for people: there is a file, and nobody can say what it has.
  struct Found {
    HttpNotes notes;
    std::string error;
  };
  Found read() const;
  // Durable when it returns nullopt; otherwise what went wrong, for people.
  std::optional<std::string> write(const HttpNotes& notes) const;

 private:
  std::string path_;
};

}  // namespace watcher
