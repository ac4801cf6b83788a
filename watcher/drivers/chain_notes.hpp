#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watcher {

// What is remembered of a service with several drivers: what each calls the revisions, and which one was at work.
struct ChainNotes {
  // The one that says what runs; the others' names are for its revisions.
  std::string namer;
  // Driver -> (revision, what it calls that), the newest last.
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> names;
  std::string running;  // what was seen to run last
  std::string before;   // and before that
  // The switch that was begun last; empty: none.
  std::string incident;
  std::string to;
  std::string driver;
};

// Revisions whose names are remembered of each driver; a target older than that is nobody's to go back to.
inline constexpr std::size_t names_kept_max = 200;

std::string to_json(const ChainNotes& notes);
std::optional<ChainNotes> parse_chain_notes(std::string_view text);

// What the driver calls it; empty: not known.
std::string name_of(const ChainNotes& notes, const std::string& driver, const std::string& revision);
// Why it could not be told to go there by that name, for people; empty: it could.
std::string why_no_name(const ChainNotes& notes, const std::string& driver, const std::string& revision);
// The revisions that it calls so.
std::vector<std::string> called(const ChainNotes& notes, const std::string& driver, const std::string& name);
// Whether it is another revision than was seen last.
bool note_running(ChainNotes& notes, const std::string& revision);

// What the other drivers call what runs is learnt while it runs: the first name that is seen twice in a row, and is not
// that of what ran before. So neither a name that comes before its revision (a commit that is pulled and built) nor one
// that stays a while (a version that an old instance still answers) is taken for another one's.
class NameLearner {
 public:
  // `revision` runs, and `driver` was just heard to call what runs so. True: that is its name from now on.
  bool heard(ChainNotes& notes, const std::string& driver, const std::string& revision, const std::string& name);
  // What it called that revision when it was heard last; empty: it was not, or of another one.
  std::string last_heard(const std::string& driver, const std::string& revision) const;

 private:
  std::map<std::string, std::pair<std::string, std::string>> heard_;  // driver -> (revision, name), last
};

// STATE/drivers/SERVICE.json.
class ChainNotesFile {
 public:
  ChainNotesFile(const std::string& state_dir, const std::string& service);

  struct Found {
    ChainNotes notes;
    std::string error;  // for people, when it is there and cannot be read
  };
  Found read() const;
  // Returns what failed, for people; nullopt: nothing.
  std::optional<std::string> write(const ChainNotes& notes) const;

 private:
  std::string path_;
};

}  // namespace watcher
