#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/engine/evidence/evidence.hpp"
#include "rules/engine/revisions/revisions.hpp"

namespace rules {

class Incident;

// Incidents that ended and left people with rules that are bad still. They are reminded until those are good, another
// revision runs, another incident is about them, or somebody says that he knows (SPEC 2.22). It decides nothing.
class Unsettled {
 public:
  // `save` saves the service's record, which names the incidents that are here.
  struct Doors {
    const Evidence& evidence;
    const Revisions& revisions;
    Effects& effects;
    std::function<void()> save;
  };
  explicit Unsettled(Doors doors) : doors_(std::move(doors)) {}

  // It has just ended; or an earlier start had it here.
  void take(const IncidentRecord& closed);
  void restore(IncidentRecord closed);
  // What is over goes. `open`: the service's incident; nullptr: none.
  void look(const Incident* open);
  // False: it is none of these.
  bool acknowledge(const IncidentId& incident, const std::string& by);

  std::vector<IncidentId> incidents() const;                     // also those that somebody knows of
  const IncidentRecord* find(const IncidentId& incident) const;  // nullptr: it is none of these
  const IncidentRecord* about(const RuleName& rule) const;       // the newest

 private:
  enum class Said { news, known };
  bool is_over(const IncidentRecord& ended, const Incident* open, Said said) const;
  void tell_good(const IncidentRecord& ended) const;
  void end_alerts(const IncidentRecord& ended, std::string why) const;
  Tell about_end(const IncidentRecord& ended, std::string_view why) const;

  Doors doors_;
  std::vector<IncidentRecord> ended_;  // the oldest first
  std::vector<IncidentRecord> known_;  // somebody said that he knows: nobody is reminded, what is tried again stays so
};

}  // namespace rules
