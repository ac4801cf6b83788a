#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "rules/base/poll.hpp"
#include "rules/base/seldom.hpp"

namespace rules {

// What we did ourselves that may have brought a new instance.
enum class OwnDeed {
  command,  // it may have restarted what runs
  call,     // an HTTP call: most bring none
};

// Probes that may not be up yet since a revision, an instance or we appeared, and until when that excuses them
// (SPEC 2.15).
class Warming {
 public:
  // The probe that says of the whole service whether it is up: the others' excuses end with their first poll after it
  // was. Without one each probe speaks for itself.
  void heed(std::optional<ProbeName> health) { health_ = std::move(health); }
  void begin(const std::set<ProbeName>& probes, Instant since, Instant until);
  // What is still excused gets no further time: an instance that crashes again and again is down.
  void begin_where_up(const std::set<ProbeName>& probes, Instant since, Instant until);
  // After a deed of ours that began at `deed_began`; nullopt: that is not known. What answers as it did before the deed
  // was not restarted by it, and is excused until that is seen only.
  void begin_after(OwnDeed deed, std::optional<Instant> deed_began, const std::set<ProbeName>& probes, Instant since,
                   Instant until);
  // An answer to what was asked before it began may be the old instance's.
  // True: it ended the probe's excuse.
  bool polled(const Poll& poll);
  bool covers(const std::set<ProbeName>& probes, Instant now) const;
  // When the next excuse ends after `now`; Instant::max(): none does.
  Instant next_end(Instant now) const;
  // When the last of these excuses ends; nullopt: none is excused.
  std::optional<Instant> end_of(const std::set<ProbeName>& probes, Instant now) const;

 private:
  struct Excuse {
    Instant since;
    Instant until;
  };
  // How long a target has been down without a break, and answering so.
  struct Down {
    Instant since;
    std::optional<Instant> answers_since;
  };
  struct Done {
    OwnDeed deed;
    std::optional<Instant> began;
  };
  void note_down(const Poll& poll);
  bool is_as_before_our_deed(const Poll& poll) const;
  bool are_others_up(const ProbeName& probe) const;

  Seldom<std::map<ProbeName, Excuse>> excused_;
  Seldom<std::map<std::pair<ProbeName, std::size_t>, Down>> down_;  // each instance of a probe
  std::optional<Done> our_deed_;                                    // it began after that
  Seldom<std::set<ProbeName>> not_up_since_;                        // and of so many probes these were not up since
  std::size_t begun_for_ = 0;
  Boxed<ProbeName> health_;
  Instant since_ = Instant::min();  // it began, for the newest instance
  std::optional<Instant> healthy_;  // the service's health answered that it is up, or as it did before our deed
};

}  // namespace rules
