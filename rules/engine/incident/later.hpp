#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "rules/base/seldom.hpp"
#include "rules/engine/evidence/evidence.hpp"
#include "rules/engine/revisions/revisions.hpp"
#include "rules/engine/view.hpp"

namespace rules {

// What is looked at when an incident is over (SPEC 3, `later`). It decides nothing, needs no lock, and is told. A newer
// release of the service ends it.
class LaterChecks {
 public:
  // `save` saves the service's record, which names the incidents that wait here.
  struct Doors {
    const ServiceSpec& service;
    const CoreConfig& config;
    const Evidence& evidence;
    const Revisions& revisions;
    Effects& effects;
    std::function<void()> save;
  };
  explicit LaterChecks(Doors doors) : doors_(std::move(doors)) {}

  // An incident is about to be closed: the journal has to name it before it is.
  void expect(const IncidentId& incident);
  // It is closed now; or an earlier start has closed it.
  void take(const IncidentRecord& closed);
  void restore(IncidentRecord closed);
  // Looks at what is due, and ends what a newer release has overtaken.
  void look();
  // Nothing will look any more: people are told what is not looked at.
  void give_up(const std::string& why);

  std::vector<IncidentId> incidents() const;
  std::vector<LaterView> waiting() const;  // the next one first
  void add_deadlines(std::vector<Instant>& out) const;

 private:
  struct Seen {
    LaterEnd end = LaterEnd::waits;
    std::string detail;  // for people
  };
  bool look(IncidentRecord& incident);
  Instant now() const { return doors_.effects.now(); }
  bool is_overtaken(const LaterCheck& check) const;
  Seen see(const IncidentRecord& incident, const LaterCheck& check) const;
  const Condition* condition_of(const LaterCheck& check) const;

  Doors doors_;
  std::vector<IncidentRecord> ended_;  // at least one check of each waits
  Boxed<IncidentId> expected_;
  Instant began_ = Instant::min();  // our start, where something was found
};

// The same of an incident whose service nobody watches any more.
void give_up_later(Effects& effects, IncidentRecord& incident, const std::string& why);

// What people are told of it when the incident ends.
std::string to_be_done_later(const IncidentRecord& incident);

}  // namespace rules
