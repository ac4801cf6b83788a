#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "watcher/journal/lock_place.hpp"
#include "watcher/run/look_at_plan.hpp"
#include "watcher/run/watcher.hpp"
#include "watcher/runner/remote_driver.hpp"

// Words that people and scripts have for revisions. They are understood before anything is decided: what the engine is
// told, and what is recorded, is the id.

namespace watcher {

namespace {

// A name that is no path may mean something to the plan; what may not be looked at may be there.
bool is_missing_file(const std::string& named) {
  std::error_code error;
  return named.starts_with('/') && !std::filesystem::exists(named, error) && !error;
}

}  // namespace

asio::awaitable<Meant> Watcher::meaning_of(rules::Revision word, rules::ServiceName service) {
  const std::shared_ptr<Driver> driver = equipment_->driver_of(service);  // shared: a reload exchanges it
  std::vector<rules::Revision> known = seen_of(service);
  co_return co_await meant_by(std::move(word), driver.get(), std::move(known));
}

// Known revisions with the same content under another name.
asio::awaitable<std::vector<rules::Revision>> Watcher::alike_to(rules::Revision revision, rules::ServiceName service) {
  std::vector<rules::Revision> same;
  const std::shared_ptr<Driver> driver = equipment_->driver_of(service);  // shared: a reload exchanges it
  if (!driver || revision.empty()) co_return same;
  Driver::Known known = [this, service] { return seen_of(service); };
  std::vector<rules::Revision> named{revision};
  const auto groups = co_await driver->alike(std::move(known), std::move(named));
  for (const std::vector<rules::Revision>& group : groups) {
    if (std::find(group.begin(), group.end(), revision) != group.end()) same = group;
  }
  co_return same;
}

// Puts the id in the place of the word. Returns why it is refused, for people.
asio::awaitable<std::string> Watcher::understand(rules::Request& request) {
  if (auto* const rollback = std::get_if<rules::RollbackByHand>(&request)) {
    if (is_missing_file(rollback->backup)) co_return "there is no backup " + rollback->backup;
    if (!rollback->to) co_return std::string();
    const Meant meant = co_await meaning_of(*rollback->to, rollback->service);
    rollback->to = meant.revision;
    rollback->alike = co_await alike_to(meant.revision, rollback->service);
    co_return meant.refused;
  }
  if (auto* const declare = std::get_if<rules::Declare>(&request)) {
    const Meant meant = co_await meaning_of(declare->revision, declare->service);
    declare->revision = meant.revision;
    // Whoever says what to roll back to on the first day has nothing else to say it with.
    declare->exists = meant.exists || (meant.is_unchecked && declare->standing == rules::Standing::good);
    declare->alike = co_await alike_to(meant.revision, declare->service);
    co_return meant.refused;
  }
  co_return std::string();
}

// What people have to know of a word that is taken as they typed it; empty: nothing.
asio::awaitable<std::string> Watcher::caution_of(const rules::Request& request) {
  const auto* const declare = std::get_if<rules::Declare>(&request);
  if (declare == nullptr || declare->standing != rules::Standing::good) co_return std::string();
  const Meant meant = co_await meaning_of(declare->revision, declare->service);
  if (!meant.is_unchecked) co_return std::string();
  co_return "; it was never seen to run, and nobody could check that there is such a revision: is it spelt right?";
}

// A deploy script may speak of what is not here yet: that is taken as it is said. A branch that has not been pulled yet
// is still what runs: what it brings is seen later.
asio::awaitable<std::string> Watcher::understand(rules::DeployMark& mark) {
  if (!mark.revision) co_return std::string();
  const Meant meant = co_await meaning_of(*mark.revision, mark.service);
  if (meant.is_ambiguous) co_return meant.refused;
  if (!meant.revision.empty()) mark.revision = meant.revision;
  if (mark.kind == rules::MarkKind::begin && *mark.revision == running_of(mark.service)) mark.revision.reset();
  co_return std::string();
}

std::vector<rules::Revision> Watcher::seen_of(const rules::ServiceName& service) const {
  return revisions_of(engine_.revisions_of(service), service);
}

rules::Revision Watcher::running_of(const rules::ServiceName& service) const {
  for (const rules::ServiceView& one : view().services) {
    if (one.service == service) return one.revision;
  }
  return {};
}

// One look does for all the services that ask within a moment.
std::string Watcher::looked(std::optional<Looked>& last, const std::function<std::string()>& look) {
  constexpr rules::Duration moment = std::chrono::seconds(1);
  const rules::Instant now = clock_.now();
  const bool is_fresh = last && last->at <= now && now < last->at + moment;
  if (!is_fresh) last = Looked{now, look()};
  return last->why_not;
}

ServiceReader::Plans Watcher::plans_of(const DriverSection& section, const Plans& responses) {
  const std::string& dir = dir_of(section, *config_);
  ServiceReader::Plans out;
  const auto why_no_lock = [this, config = config_] {
    return looked(lock_look_, [&] { return why_no_host_lock(config->watcher.state_dir); });
  };
  out.why_not = why_no_lock;
  if (runner_ == nullptr) {
    out.why_not = [responses, dir, why_no_lock] {
      std::string why = why_no_lock();
      return why.empty() ? why_plans_cannot_run(responses, dir) : why;
    };
    if (!by_hand_.empty()) {
      out.why_not_by_hand = [this, dir] {
        return looked(by_hand_looks_[dir], [&] { return why_plans_cannot_run(by_hand_, dir); });
      };
    }
  } else {
    // Whether the steps could be done the runner says, who has to do them.
    out.plans_there = [runner = runner_, service = section.service] { return plans_ready_there(*runner, service); };
    if (!section.schema.empty())
      out.schema = [runner = runner_, service = section.service] { return read_schema_there(*runner, service); };
  }
  // The section outlives its reader.
  out.target = [this, of = &section] {
    return engine_.plan(rules::RollbackByHand{of->service, {}, {}, "", "", false}).to;
  };
  out.has_schema = [this, of = &section](const rules::Revision& revision) {
    const std::vector<rules::LedgerRecord> ledger = engine_.revisions_of(of->service);
    return std::any_of(ledger.begin(), ledger.end(), [&](const rules::LedgerRecord& one) {
      return one.revision == revision && one.standing == rules::Standing::good && !one.schema.empty();
    });
  };
  out.known = [this, of = &section] { return seen_of(of->service); };
  out.run_there = files_run_there(responses, section, dir);
  out.names = names_in_plans(*config_, section.service);
  return out;
}

const DriverSection* Watcher::section_of(const rules::ServiceName& service) const {
  const std::optional<std::size_t> place = equipment_->place_of(service);
  return place ? &config_->drivers[*place] : nullptr;
}

ServiceReader* Watcher::reader_of(const rules::ServiceName& service) const {
  const std::optional<std::size_t> place = equipment_->place_of(service);
  return place ? service_readers_[*place].get() : nullptr;
}

asio::awaitable<std::string> Watcher::why_not_now(rules::ServiceName service, const rules::ActionSpec& action) const {
  const DriverSection* const section = section_of(service);
  if (section == nullptr) co_return std::string();
  if (runner_ == nullptr) co_return why_plans_cannot_run({&action}, dir_of(*section, *config_));
  const std::shared_ptr<RunnerClient> runner = runner_;  // shared: a reload exchanges it
  co_return co_await why_plan_cannot_run_there(*runner, std::move(service), action.name);
}

asio::awaitable<RollbackPlan> Watcher::plan(rules::RollbackByHand rollback) {
  RollbackPlan out;
  rules::Request request = std::move(rollback);
  out.what.refused = co_await understand(request);
  if (!out.what.refused.empty()) co_return out;
  const auto& understood = std::get<rules::RollbackByHand>(request);
  out.what = engine_.plan(understood);
  if (!out.what.refused.empty()) co_return out;
  out.not_ready = co_await why_not_now(understood.service, out.what.action);
  const std::shared_ptr<Driver> driver = equipment_->driver_of(understood.service);  // shared: a reload exchanges it
  if (driver) co_await look_at_plan(out, *driver);
  co_return out;
}

// Returns what was not done and why, for the log. That something was deployed counts, whatever its name means.
asio::awaitable<std::string> Watcher::take_up(SpooledWord word) {
  if (auto* const mark_word = std::get_if<rules::DeployMark>(&word)) {
    std::string refused = co_await understand(*mark_word);
    if (!refused.empty()) mark_word->revision.reset();
    loop_.observe(*mark_word);
    co_return refused;
  }
  rules::Request request = std::get<rules::Declare>(word);
  std::string refused = co_await understand(request);
  if (!refused.empty()) co_return refused;
  const rules::Answer answer = loop_.request(request);
  if (!answer.accepted) refused = answer.text;
  co_return refused;
}

}  // namespace watcher
