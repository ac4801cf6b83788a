#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rules/base/poll.hpp"
#include "rules/base/time.hpp"

namespace watcher {

// Recorded samples under STATE/samples: one file at a time is written to, SECONDS.om; finished ones end with # EOF and
// are compressed to SECONDS.om.zst. What is older than `keep`, or beyond `total_max`, is removed, oldest first.
// Every call blocks for the disk; to be used from one thread at a time.
class SampleFiles {
 public:
  static constexpr std::int64_t file_max = 16 * 1024 * 1024;    // bytes: then the next file is begun
  static constexpr std::int64_t total_max = 256 * 1024 * 1024;  // bytes of all of them
  // Free space below which nothing is recorded and what was is given up: the journal needs it more.
  static constexpr std::int64_t free_min = 64 * 1024 * 1024;

  SampleFiles(std::string state_dir, rules::Duration keep);

  // Appends what SampleText wrote. Returns what went wrong; the text is lost then, and nothing else.
  std::optional<std::string> append(const std::string& text, rules::Instant now);

  // The polls recorded at `from` or later, in the order in which they ended; none when they take more than `most` bytes
  // of memory. `wanted`: of which probes; none: of all. May be called beside append(), by another SampleFiles of the
  // same folder: what is finished meanwhile is found under its new name.
  std::vector<rules::Poll> read(rules::Instant from, std::size_t most = std::numeric_limits<std::size_t>::max(),
                                const std::set<rules::ProbeName>& wanted = {}) const;

 private:
  bool has_room() const;
  void finish_old(rules::Instant now);
  void prune(rules::Instant now);

  std::string dir_;
  rules::Duration keep_;
};

}  // namespace watcher
