#include "rules/engine/acting/target.hpp"

#include "rules/base/commit.hpp"

namespace rules {

namespace {

std::string no_backup_of(const Revision& from) {
  const std::string what = from.empty() ? "what runs" : from.text;
  const std::string none = "no backup is known that was made before " + what + " came; ";
  if (from.empty()) return none + "`rollbackd deploy begin --backup PATH` says one";
  return none + "`rollbackd deploy mark " + from.text +
         " --backup PATH` says one, `rollbackd deploy begin --backup PATH` " + "the next time";
}

bool has_backup(const Revision& from, const Revisions& revisions) {
  const LedgerRecord* known = revisions.find(from);
  return known != nullptr && !known->backup.empty();
}

Target at_backup(const Revision& from, const Revisions& revisions) {
  if (!has_backup(from, revisions)) return {std::nullopt, no_backup_of(from)};
  if (!revisions.previous().empty()) return {revisions.previous(), {}};
  return {std::nullopt, "nobody knows what ran when the backup was made"};
}

// Nobody says what the name means. Where commits run, one that is none could only end as a wrong revision.
Target as_written(const Revision& name, const Revision& from, const Revisions& revisions) {
  if (revisions.find(name) != nullptr || !is_commit(from.text) || is_commit(name.text)) return {name, {}};
  return {std::nullopt, "what runs is named by its commit, and \"" + name.text +
                            "\" is none; do name it in `switch` as `identify` prints it"};
}

}  // namespace

Target chosen_target(const SwitchStep& step, const Revision& from, const Revisions& revisions) {
  switch (step.kind) {
    case SwitchTargetKind::last_good: {
      std::optional<Revision> good = revisions.last_good(from);
      if (good) return {std::move(good), {}};
      return {std::nullopt, "no good revision is known" + (from.empty() ? "" : " that ran before " + from.text)};
    }
    case SwitchTargetKind::revision: {
      const NamedRevision* named = revisions.named(step.revision.text);
      if (named == nullptr) return as_written(step.revision, from, revisions);
      if (named->revision.empty()) return {std::nullopt, named->why_not};
      return {named->revision, {}};
    }
    case SwitchTargetKind::at_backup:
      return at_backup(from, revisions);
  }
  return {};
}

Target target_of(const SwitchStep& step, const IncidentRecord& incident, const ServiceSpec& service,
                 const Revisions& revisions) {
  // Forced it is done again: a script that failed half way may have left what is named so in place, and not running.
  const bool runs_already = service.has_identity && incident.to == incident.from && !incident.force;
  if (incident.by_hand && !incident.to.empty() && !runs_already) return {incident.to, {}};
  if (incident.by_hand && !incident.to.empty()) {
    return {std::nullopt, incident.to.text + " runs already; --force switches to it all the same"};
  }
  if (!service.has_identity) return {incident.to, {}};
  if (revisions.was_rolled_back() && !incident.by_hand) {
    return {std::nullopt, "what runs was brought by a rollback, which is not rolled back"};
  }
  Target to = chosen_target(step, incident.from, revisions);
  if (!to.revision || to.revision->empty()) return {std::nullopt, std::move(to.why_not)};
  if (*to.revision == incident.from) return {std::nullopt, to.revision->text + " runs already"};
  const std::string why = why_quarantined(*to.revision, revisions.quarantined(*to.revision));
  if (!why.empty()) return {std::nullopt, why};
  return to;
}

std::string why_quarantined(const Revision& to, const LedgerRecord* bad) {
  if (bad == nullptr) return "";
  if (bad->revision == to) return to.text + " is quarantined";
  return to.text + " has the same content as " + bad->revision.text + ", which is quarantined";
}

std::string why_no_backup(const ActionSpec& action, const Revisions& revisions, const Revision& from,
                          const std::string& named) {
  if (!action.uses_backup() || !named.empty() || has_backup(from, revisions)) return "";
  return "action " + action.name.text + " uses ROLLBACKD_BACKUP, and " + no_backup_of(from);
}

}  // namespace rules
