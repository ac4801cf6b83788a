#include <algorithm>
#include <cmath>

#include "rules/signals/store.hpp"

namespace rules {

namespace {

bool is_stale(const Instance::Last& last, Duration max_gap, Instant at) { return last.ended + max_gap <= at; }

std::string fault_text(const Instance::Last& last) { return last.fault ? last.fault->what : std::string(); }

// Cause of a poll that is neither up nor down.
Cause cause_of(const Instance::Last& last) { return last.fault ? cause_of(last.fault->kind) : Cause::source_error; }

}  // namespace

// Nothing was polled, nothing lately, or nothing that counts in the scope.
std::optional<Measured> Store::unseen(const Probe& probe, const Scope& scope, Instant at) const {
  if (scope.blanket) return unknown(*scope.blanket, "");
  const auto named = [&](const std::string& what) { return "probe \"" + probe.shape.name.text + "\"" + what; };
  for (const Instance& instance : probe.instances) {
    if (!instance.last()) return unknown(Cause::no_data, named(" has not been polled yet"));
    if (is_stale(*instance.last(), probe.shape.max_gap, at)) {
      return unknown(Cause::stale, named(": nothing for longer than " + to_string(probe.shape.max_gap)));
    }
    if (instance.last()->ended < scope.not_before) {
      return unknown(scope.not_before_cause, named(": no sample of this revision yet"));
    }
  }
  return std::nullopt;
}

// Why nothing of the probe's pages can be measured now.
std::optional<Measured> Store::obstacle(const Probe& probe, const Scope& scope, Instant at) const {
  if (scope.blanket) return unknown(*scope.blanket, "");
  // One outage counts once: as `up`, not again in everything else that the probe would have measured.
  for (const Instance& instance : probe.instances) {
    const auto& last = instance.last();
    if (last && last->up == Up::down && !is_stale(*last, probe.shape.max_gap, at) && last->ended >= scope.not_before) {
      return unknown(Cause::source_error, "up is 0: " + fault_text(*last));
    }
  }
  if (auto reason = unseen(probe, scope, at)) return reason;
  for (const Instance& instance : probe.instances) {
    if (instance.last()->up == Up::unknown) return unknown(cause_of(*instance.last()), fault_text(*instance.last()));
    if (!instance.has_page()) return unknown(Cause::counter_reset, "no sample since the restart");
  }
  return std::nullopt;
}

void Store::stamp(const Probe& probe, Instant at, Measured& measured) const {
  measured.valid_until = valid_until(probe, at);
  measured.newest = Instant();
  for (const Instance& instance : probe.instances) {
    if (instance.last()) measured.newest = std::max(measured.newest, instance.last()->ended);
  }
}

// When what was seen of one of its instances goes stale next.
Instant Store::valid_until(const Probe& probe, Instant at) const {
  Instant out = Instant::max();
  for (const Instance& instance : probe.instances) {
    if (!instance.last()) continue;
    const Instant until = instance.last()->ended + probe.shape.max_gap;
    if (until > at) out = std::min(out, until);
  }
  return out;
}

// The worst of all instances; any that is down is enough.
Measured Store::up_field(const Probe& probe, const Scope& scope, Instant at) const {
  Measured out;
  out.count = 1;
  if (scope.blanket) return unknown(*scope.blanket, "");
  for (const Instance& instance : probe.instances) {
    const auto& last = instance.last();
    if (!last || last->up != Up::down || last->ended < scope.not_before) continue;
    if (is_stale(*last, probe.shape.max_gap, at)) continue;
    out.value = 0;
    out.detail = fault_text(*last);
    return out;
  }
  if (auto reason = unseen(probe, scope, at)) return *reason;
  for (const Instance& instance : probe.instances) {
    if (instance.last()->up == Up::unknown) return unknown(cause_of(*instance.last()), fault_text(*instance.last()));
  }
  out.value = 1;
  return out;
}

// Why a field is not there.
static Measured missing(const std::vector<Instance>& instances, const FieldRef& field) {
  for (const Instance& instance : instances) {
    if (!instance.last()) continue;
    for (const Missing& one : instance.last()->missing) {
      if (one.field == field.field) return unknown(one.cause, one.why);
    }
  }
  return unknown(Cause::no_data, to_string(field) + " is not in what the probe brought");
}

Measured Store::reading(const Probe& probe, const FieldRef& field) const {
  const Selector selector{field.field, field.matchers};
  Measured out;
  for (std::size_t i = 0; i < probe.instances.size(); ++i) {
    const Instance& instance = probe.instances[i];
    for (const Series* series : instance.named(field.field)) {
      if (!series->present(instance.newest_page()) || !selector.matches_labels(series->key())) continue;
      if (out.count > 0) return unknown(Cause::config_error, to_string(field) + " matches several series");
      out.count = 1;
      out.value = series->newest();
      out.detail = to_string(series->key());
    }
  }
  if (out.count == 0) return missing(probe.instances, field);
  if (!std::isfinite(*out.value)) return unknown(Cause::nan, to_string(field) + " is not a finite number");
  return out;
}

Measured Store::field(const FieldRef& field, const Scope& scope, Instant at) const {
  const Probe* probe = find(field.probe);
  if (probe == nullptr) return unknown(Cause::config_error, "there is no probe \"" + field.probe.text + "\"");
  Measured out;
  if (field.field == "up" && field.matchers.empty()) {
    out = up_field(*probe, scope, at);
  } else if (auto reason = obstacle(*probe, scope, at)) {
    out = *reason;
  } else if (field.field == "duration" && field.matchers.empty()) {
    if (probe->instances.size() > 1) {
      out = unknown(Cause::config_error, to_string(field) + " is one series for each of several instances");
    } else {
      out.count = 1;
      out.value = seconds(probe->instances[0].last()->ended - probe->instances[0].last()->started);
    }
  } else {
    out = reading(*probe, field);
  }
  stamp(*probe, at, out);
  return out;
}

// As up_field() without what only people read: each poll asks for it.
Up Store::up(const ProbeName& name, Instant at) const {
  const Probe* probe = find(name);
  if (probe == nullptr) return Up::unknown;
  bool is_known = true;
  for (const Instance& instance : probe->instances) {
    const auto& last = instance.last();
    const bool is_fresh = last && !is_stale(*last, probe->shape.max_gap, at);
    if (is_fresh && last->up == Up::down) return Up::down;
    is_known = is_known && is_fresh && last->up == Up::up;
  }
  return is_known ? Up::up : Up::unknown;
}

Instant Store::up_until(const ProbeName& name, Instant at) const {
  const Probe* probe = find(name);
  return probe == nullptr ? Instant::max() : valid_until(*probe, at);
}

std::optional<Measurements::LastPoll> Store::last_poll(const ProbeName& name) const {
  const Probe* probe = find(name);
  const Instance* newest = nullptr;
  if (probe == nullptr) return std::nullopt;
  for (const Instance& instance : probe->instances) {
    if (!instance.last()) continue;
    if (newest == nullptr || instance.last()->ended > newest->last()->ended) newest = &instance;
  }
  if (newest == nullptr) return std::nullopt;
  return Measurements::LastPoll{newest->last()->ended, newest->last()->up, newest->last()->fault};
}

Measured Store::restarts(const RestartsRef& ref, const Scope& scope, Instant at) const {
  const Probe* probe = find(ref.probe);
  if (probe == nullptr) return unknown(Cause::config_error, "there is no probe \"" + ref.probe.text + "\"");
  Measured out;
  // Also known while it is down: a crash loop is down at most looks.
  if (auto reason = unseen(*probe, scope, at)) {
    out = *reason;
  } else {
    double count = 0;
    for (const Instance& instance : probe->instances) {
      const Instant begin = instance.last()->ended - ref.window;
      count += static_cast<double>(
          std::count_if(instance.restarts().begin(), instance.restarts().end(),
                        [&](Instant restart) { return restart > begin && restart >= scope.not_before; }));
    }
    out.value = count;
    out.count = 1;
    out.window = ref.window;
  }
  stamp(*probe, at, out);
  return out;
}

Measured Store::over_time(const OverTimeRef& ref, const Scope& scope, Instant at, Part part) const {
  const auto* field_ref = std::get_if<FieldRef>(&ref.of->node);
  const auto* signal_ref = std::get_if<SignalRef>(&ref.of->node);
  const Measured now =
      field_ref != nullptr ? field(*field_ref, scope, at) : estimate(signal_ref->signal, scope, at, part).measured;
  // A slope has no newest part; of all others it is the value itself.
  if (part != Part::window && ref.function != OverTimeFunction::slope) return now;
  const std::optional<ProbeName> name = field_ref != nullptr ? field_ref->probe : probe_of(signal_ref->signal);
  const Probe* probe = name ? find(*name) : nullptr;
  if (probe == nullptr) return now;
  const bool of_up = field_ref != nullptr && field_ref->field == "up";
  std::optional<Measured> reason = of_up ? unseen(*probe, scope, at) : obstacle(*probe, scope, at);
  if (reason) {
    stamp(*probe, at, *reason);
    return *reason;
  }
  const auto tracked = probe->tracked.find(frozen_key(*ref.of));
  if (tracked == probe->tracked.end()) return unknown(Cause::no_data, "its history is not kept");
  Measured out = tracked->second.history.over_time(ref, scope.not_before, scope.not_before_cause, probe->shape.max_gap);
  if (out.value && !std::isfinite(*out.value)) {
    out.value.reset();
    out.cause = Cause::nan;
  }
  stamp(*probe, at, out);
  return out;
}

}  // namespace rules
