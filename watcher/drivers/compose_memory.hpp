#pragma once

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "probes/clock.hpp"
#include "watcher/drivers/compose_identity.hpp"
#include "watcher/drivers/compose_records.hpp"
#include "watcher/drivers/compose_runner.hpp"

namespace watcher {

// What is known of the revisions that were seen to run, in memory and on disk. One object a service: identifying,
// readiness and switching share it.
class ComposeMemory {
 public:
  // References must outlive it.
  ComposeMemory(const std::string& state_dir, const std::string& service, const ComposeDriver& config,
                const probes::Clock& clock);

  // nullptr: the file cannot be understood, see why_unreadable().
  ComposeRecords* records();
  const ComposeRecords* records() const { return records_ ? &*records_ : nullptr; }
  std::string why_unreadable() const;
  const ComposeFile& file() const { return file_; }
  // What went wrong, for people.
  std::optional<std::string> save();

  // Writes down what runs, when it is first seen: its images, under a tag of ours, and, if the user's files are still
  // those that made it, the project's whole configuration and the kept files. `needed` is not forgotten for it. What
  // could not be found out is tried again later, no oftener than that it takes a hundredth of the time.
  asio::awaitable<void> note(const ComposeRunner& runner, ComposeTool tool, ComposeLook look, rules::Revision needed);

 private:
  asio::awaitable<void> note_images(const ComposeRunner& runner, const ComposeLook& look, ComposeRecord& record);
  asio::awaitable<void> note_files(const ComposeRunner& runner, ComposeTool tool, const ComposeLook& look,
                                   ComposeRecord& record);
  asio::awaitable<void> forget(const ComposeRunner& runner, std::vector<ComposeRecord> dropped);
  bool knows_all(const ComposeRecord& record) const;

  const ComposeDriver& config_;
  const probes::Clock& clock_;
  ComposeFile file_;
  std::optional<ComposeRecords> records_;
  std::string newest_;  // the revision that was noted last
  rules::Instant again_at_;
};

}  // namespace watcher
