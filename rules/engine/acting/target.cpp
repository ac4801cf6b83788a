#include "rules/engine/acting/target.hpp"

namespace rules {

namespace {

std::optional<Revision> chosen(const SwitchStep& step, const IncidentRecord& incident, const Revisions& revisions) {
  switch (step.kind) {
    case SwitchTargetKind::last_good:
      return revisions.last_good(incident.from);
    case SwitchTargetKind::revision:
      return step.revision;
    case SwitchTargetKind::at_backup: {
      const LedgerRecord* from = revisions.find(incident.from);
      if (from == nullptr || from->backup.empty()) return std::nullopt;
      return revisions.previous();
    }
  }
  return std::nullopt;
}

}  // namespace

Target target_of(const SwitchStep& step, const IncidentRecord& incident, const ServiceSpec& service,
                 const Revisions& revisions) {
  const bool runs_already = service.has_identity && incident.to == incident.from;
  if (incident.by_hand && !incident.to.empty() && !runs_already) return {incident.to, {}};
  if (incident.by_hand && !incident.to.empty()) return {std::nullopt, incident.to.text + " runs already"};
  if (!service.has_identity) return {incident.to, {}};
  if (revisions.was_rolled_back() && !incident.by_hand) {
    return {std::nullopt, "what runs was brought by a rollback, which is not rolled back"};
  }
  const std::optional<Revision> to = chosen(step, incident, revisions);
  if (!to || to->empty()) return {std::nullopt, "no good revision is known that ran before " + incident.from.text};
  if (*to == incident.from) return {std::nullopt, to->text + " runs already"};
  const LedgerRecord* known = revisions.find(*to);
  if (known != nullptr && known->standing == Standing::bad) return {std::nullopt, to->text + " is quarantined"};
  return {to, {}};
}

}  // namespace rules
