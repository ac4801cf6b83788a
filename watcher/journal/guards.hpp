#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/engine/commands.hpp"
#include "rules/incidents/records.hpp"

namespace watcher {

// How many decisions were ever committed, and hashes over them in their order: a journal with fewer has lost some, one
// with as many but another hash tells of another past.
struct Decisions {
  std::int64_t count = 0;
  std::uint64_t chain = 0;   // over all of them
  std::uint64_t before = 0;  // over all but the last

  // With these records committed together after them.
  Decisions followed_by(const std::vector<rules::Record>& records) const;
  friend bool operator==(const Decisions&, const Decisions&) = default;
};

// Whether a commit of these counts as a decision: all do but those of what rules saw.
bool decides(const std::vector<rules::Record>& records);

// FNV-1a of 64 bits: against disks and accidents, not against people.
std::uint64_t hash_of(std::string_view text);

// The second copy of what keeps us from acting twice: open incidents, what the fuse counts, revisions that are no
// targets or were switched away from, pauses, and how many decisions the database must hold. In a file of its own,
// written after each decision and before it is acted on. Of a database in WAL mode SQLite says "ok" though its newest
// transactions are gone: it takes a damaged or missing end of the -wal for what a crash left unfinished.
class Guards {
 public:
  Guards() = default;
  // What a database holds.
  Guards(const Decisions& decisions, const rules::DurableState& durable);

  // Those of a text; nullopt: it is not as text() wrote it.
  static std::optional<Guards> read(std::string_view text);
  std::string text() const;

  const Decisions& decisions() const { return decisions_; }
  // These were committed, and it stands so now.
  void decide(const Decisions& now, const std::vector<rules::Record>& records);

  // Why a database that holds this is not the one that these were written beside, for people; empty: it is.
  std::string why_not_of(const Guards& database) const;

  // For a database that is begun anew: the same, but that incidents are over, as their plans are not known to have
  // gone.
  std::vector<rules::Record> for_a_new_database() const;
  // The open incidents, a line each for people.
  std::vector<std::string> open_incidents() const;

 private:
  enum class Kind : char { incident = 'i', fuse = 'f', ledger = 'l', service = 's' };
  struct Key {
    Kind kind;
    std::string text;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  void take(const rules::Record& record);
  template <class T>
  bool take_text(std::string_view json);
  template <class T>
  void keep(Kind kind, std::string key, const T& record, bool guards);
  void forget_old_uses(const rules::FuseRecord& newest);
  bool may_be_forgotten(const Key& key, const std::string& json) const;

  Decisions decisions_;
  std::map<Key, std::string> records_;  // as JSON
};

}  // namespace watcher
