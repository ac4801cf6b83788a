#include "rules/engine/acting/limits.hpp"

namespace rules {

void Limits::restore(const ServiceRecord& record) {
  paused_until_ = record.paused_until;
  pause_reason_ = record.pause_reason;
  mutation_ended_ = record.mutation_ended;
  acted_without_identity_ = record.acted_without_identity;
  next_rung_ = record.next_rung;
}

void Limits::put_into(ServiceRecord& record) const {
  record.paused_until = paused_until_;
  record.pause_reason = pause_reason_;
  record.mutation_ended = mutation_ended_;
  record.acted_without_identity = acted_without_identity_;
  record.next_rung = next_rung_;
}

void Limits::pause(Instant until, const std::string& reason) {
  paused_until_ = until;
  pause_reason_ = reason;
  save_();
}

void Limits::end_pause() {
  paused_until_.reset();
  pause_reason_.clear();
  save_();
}

void Limits::reset() {
  count(FuseUse::reset, {}, {});
  acted_without_identity_ = false;
  save_();
}

void Limits::count(FuseUse use, const Revision& from, const IncidentId& incident) {
  FuseRecord counted{spec_.name, effects_.now(), use, from, incident};
  fuse_.put(counted);
  effects_.save(std::move(counted));
}

void Limits::action_begins(const IncidentId& incident, bool by_hand, const Revision& from) {
  count(by_hand ? FuseUse::by_hand : FuseUse::mutated, from, incident);
  mutation_ended_before_ = mutation_ended_;
  acted_without_identity_before_ = acted_without_identity_;
  if (spec_.has_identity) return;
  acted_without_identity_ = true;
  save_();
}

void Limits::switch_begins(const IncidentId& incident, const Revision& from) {
  count(FuseUse::switched, from, incident);
}

void Limits::take_back(const IncidentId& incident, bool with_switch, bool with_action) {
  for (FuseRecord& record : fuse_.take_back(spec_.name, incident, with_switch, with_action)) {
    effects_.save(std::move(record));
  }
  if (!with_action) return;
  mutation_ended_ = mutation_ended_before_;
  acted_without_identity_ = acted_without_identity_before_;
  save_();
}

void Limits::take_back_action(const IncidentId& incident, bool with_cooldown) {
  for (FuseRecord& record : fuse_.take_back(spec_.name, incident, false, true)) effects_.save(std::move(record));
  if (with_cooldown) mutation_ended_ = mutation_ended_before_;
  acted_without_identity_ = acted_without_identity_before_;
  save_();
}

void Limits::mutation_ended() {
  mutation_ended_ = effects_.now();
  save_();
}

void Limits::start_higher(const RuleName& rule, int rung) {
  next_rung_[rule.text] = rung;
  save_();
}

void Limits::revision_appeared() {
  acted_without_identity_ = false;
  next_rung_.clear();
}

std::optional<Instant> Limits::cooling_until() const {
  if (!mutation_ended_ || fuse_.last_reset(spec_.name) >= mutation_ended_) return std::nullopt;
  const Instant until = *mutation_ended_ + spec_.cooldown;
  return effects_.now() < until ? std::optional(until) : std::nullopt;
}

int Limits::rung_of(const RuleName& rule) const {
  const auto found = next_rung_.find(rule.text);
  return found == next_rung_.end() ? 0 : found->second;
}

std::string Limits::blown(const LedgerRecord* from, bool switches) const {
  return fuse_.blown(spec_.name, spec_.fuse, from, switches, effects_.now());
}

void Limits::add_deadlines(std::vector<Instant>& out) const {
  if (paused_until_) out.push_back(*paused_until_);
}

}  // namespace rules
