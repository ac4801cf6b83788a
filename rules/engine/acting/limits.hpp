#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/seldom.hpp"
#include "rules/engine/effects.hpp"
#include "rules/incidents/fuse.hpp"
#include "rules/incidents/service_spec.hpp"

namespace rules {

// Why a service whose revision nobody can read is not acted on again, for people.
inline constexpr std::string_view acted_unidentified_text =
    "without an identity it acts once until deploy mark or fuse reset";

// What holds one service's actions back whatever its rules say: pause, cooldown, the fuse (SPEC 2.18, 2.25, 2.27).
class Limits {
 public:
  // `save` saves the service's record, of which this room has a part.
  Limits(const ServiceSpec& spec, Fuse& fuse, Effects& effects, std::function<void()> save)
      : spec_(spec), fuse_(fuse), effects_(effects), save_(std::move(save)) {}

  void restore(const ServiceRecord& record);
  void put_into(ServiceRecord& record) const;

  // People.
  void pause(Instant until, const std::string& reason);
  void end_pause();
  void reset();

  // An incident.
  void action_begins(const IncidentId& incident, bool by_hand, const Revision& from);
  void switch_begins(const IncidentId& incident, const Revision& from);
  void mutation_ended();
  // What was counted changed nothing: of the incident the newest switch, its newest action, or both.
  void take_back(const IncidentId& incident, bool with_switch, bool with_action);
  // Of the incident's newest action, whose other steps were done, nothing is counted but, unless `with_cooldown`, when
  // they ended.
  void take_back_action(const IncidentId& incident, bool with_cooldown);
  // Where a rule starts when it fires again on the same revision.
  void start_higher(const RuleName& rule, int rung);

  // Revisions. A new one may be acted on without an identity again; either starts with the lowest rung.
  void revision_appeared();
  void rolled_back() { next_rung_.clear(); }

  // Reading.
  bool is_paused() const { return paused_until_ && effects_.now() < *paused_until_; }
  bool pause_is_over() const { return paused_until_ && *paused_until_ <= effects_.now(); }
  std::optional<Instant> paused_until() const { return paused_until_; }
  // The end of the last mutating action.
  std::optional<Instant> last_mutation() const { return mutation_ended_; }
  std::optional<Instant> cooling_until() const;  // none: not cooling
  int rung_of(const RuleName& rule) const;
  bool has_acted_unidentified() const { return acted_without_identity_ && !spec_.has_identity; }
  // Why nothing more may be done by itself, for people; empty when it may. `from`: what runs, if it is known.
  std::string blown(const LedgerRecord* from, bool switches) const;
  bool was_counted(const IncidentId& incident, Instant since) const {
    return fuse_.counted(spec_.name, incident, since);
  }
  void add_deadlines(std::vector<Instant>& out) const;

 private:
  void count(FuseUse use, const Revision& from, const IncidentId& incident);

  const ServiceSpec& spec_;
  Fuse& fuse_;
  Effects& effects_;
  std::function<void()> save_;
  std::optional<Instant> paused_until_;
  std::string pause_reason_;
  std::optional<Instant> mutation_ended_;
  bool acted_without_identity_ = false;
  // As they were before the newest action began.
  std::optional<Instant> mutation_ended_before_;
  bool acted_without_identity_before_ = false;
  Seldom<std::map<std::string, int>> next_rung_;
};

}  // namespace rules
