#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dice.hpp"
#include "held_spans.hpp"
#include "rules/engine/commands.hpp"

namespace sim {

// What a disk does to who writes to it.
enum class Disk {
  well,
  full,        // every commit fails, waiting does not help
  locked,      // every commit fails until it is over
  sync_fails,  // a commit fails, and what it wrote may be there all the same after a power cut
};

// Transactions of records as the watcher's own codec writes them; what cannot be read back as it was written is a
// breach. A transaction is there as a whole or not at all: SQLite vouches for that, and this is not its test.
class TextJournal {
 public:
  Disk disk = Disk::well;

  // Durable on return; an error leaves nothing of it written, as far as anybody can read before a power cut.
  // Empty: fine.
  std::string commit(const std::vector<rules::Record>& records, Instant now);
  void alive(Instant now) { alive_ = std::max(alive_, now); }
  // A power cut: what a failed sync left may turn out to have been written. Says what was.
  std::vector<rules::Record> power_cut(Dice& dice);
  rules::DurableState read_back() const;

  // As last committed; nullopt: never was.
  std::optional<rules::IncidentRecord> incident(const rules::IncidentId& id) const;
  std::optional<rules::StepRecord> step(const rules::StepId& id) const;
  std::vector<rules::IncidentRecord> incidents() const;
  std::vector<std::string> breaches;

 private:
  void write(const rules::Record& record);

  std::map<std::pair<std::string, std::string>, std::string> ledger_;
  std::map<std::string, std::string> services_;
  std::vector<std::string> fuse_;
  std::map<std::string, std::string> incidents_;
  std::map<rules::StepId, std::string> steps_;
  std::map<std::string, std::string> spans_;
  HeldSpans held_;
  std::vector<rules::Record> unsynced_;  // of the last commit, when its sync failed
  Instant alive_ = Instant::min();
};

}  // namespace sim
