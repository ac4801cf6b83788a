#include "watcher/notify/outbox.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <new>
#include <utility>

#include "watcher/report/text.hpp"
#include "watcher/run/log.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t threads_max = 8;  // deliveries at once; more notifiers than that take turns
constexpr rules::Duration look_again = std::chrono::minutes(1);     // though nobody woke us
constexpr rules::Duration journal_retry = std::chrono::seconds(5);  // after the journal could not be written
constexpr std::size_t key_max = 200;                                // bytes

// For who joins at that time: what is so then in one message, which is asked for when it is sent. It is dropped if the
// incident is closed by then: so is the message that it was closed.
OutboxEntry summary(const rules::Tell& tell, const NotifierSection& notifier, rules::Instant joins) {
  OutboxEntry entry{.notifier = notifier.name, .tell = tell, .due = joins, .only_while_open = true, .replaces = true};
  const bool is_course = tell.stage == rules::Stage::progress || tell.stage == rules::Stage::late;
  if (is_course) entry.tell.stage = rules::Stage::started;
  entry.is_told = lets_through(notifier, entry.tell.stage);
  entry.tell.text = "Open for " + duration_text(*notifier.after) + ". " + tell.text;
  return entry;
}

Delivery delivered_as(const NotifierSection& section, const std::string& body, const Attempt& attempt,
                      const std::atomic<bool>* is_closing) {
  try {
    return deliver(section, body, attempt, delivery_limit, is_closing);
  } catch (const std::bad_alloc&) {
    Delivery failed;
    failed.error = "not enough memory for it";
    return failed;
  }
}

// The same in every attempt, another one for every message, also after a new database began to count from 1.
std::string idempotency_key(const OutboxEntry& entry, const std::string& watcher_name) {
  std::string key = watcher_name + "-" + entry.tell.context.incident.text + "-" + std::to_string(entry.id) + "-" +
                    std::to_string(entry.tell.at.time_since_epoch().count());
  for (char& c : key) {
    if (c <= ' ' || c > '~') c = '-';
  }
  return key.size() > key_max ? key.substr(key.size() - key_max) : key;
}

}  // namespace

Outbox::Outbox(asio::any_io_executor executor, const probes::Clock& clock, std::vector<NotifierSection> notifiers,
               std::string watcher_name, JournalThread& journal, Stands where)
    : executor_(std::move(executor)),
      clock_(clock),
      notifiers_(std::move(notifiers)),
      watcher_name_(std::move(watcher_name)),
      journal_(journal),
      stands_(std::move(where)),
      timer_(executor_),
      workers_(threads_max) {
  const rules::DurableState& durable = journal_.found().durable;
  for (const auto* const some : {&durable.incidents, &durable.ended}) {
    for (const rules::IncidentRecord& incident : *some) {
      if (!incident.closed || stands(incident.id))
        open_.emplace(incident.id, Open{incident.opened, incident.severity, {}, {}, {}, false});
    }
  }
  prepare();
}

void Outbox::replace(std::vector<NotifierSection> notifiers) {
  notifiers_ = std::move(notifiers);
  prepare();
  wake();
}

void Outbox::wake() {
  woken_ = true;
  timer_.cancel();
}

const NotifierSection* Outbox::find(const rules::NotifierName& name) const {
  const auto found =
      std::find_if(notifiers_.begin(), notifiers_.end(), [&](const NotifierSection& n) { return n.name == name; });
  return found == notifiers_.end() ? nullptr : &*found;
}

bool Outbox::has_heard(const rules::IncidentId& incident, const NotifierSection& notifier) const {
  const auto open = open_.find(incident);
  return open != open_.end() && open->second.told.contains(notifier.name);
}

std::vector<OutboxEntry> Outbox::entries(const rules::Tell& tell) {
  const rules::IncidentId& incident = tell.context.incident;
  rules::Instant opened = tell.opened.value_or(tell.at);
  if (!incident.empty())
    opened = open_.try_emplace(incident, Open{opened, tell.context.severity, {}, {}, {}, false}).first->second.opened;
  const std::vector<const NotifierSection*> told = recipients(tell, notifiers_);
  std::vector<OutboxEntry> result;
  for (const NotifierSection& notifier : notifiers_) {
    const bool is_told = std::find(told.begin(), told.end(), &notifier) != told.end();
    if (incident.empty() && notifier.after && !tell.notifier) {
      if (is_told) hold_back(tell, notifier, result);
      continue;
    }
    const bool is_story = !incident.empty() && !tell.notifier;  // a notify step names whom it tells, and when
    // Also when it has become more severe than he is told of: who heard that it began hears how it ended.
    const bool is_severe =
        is_severe_enough(tell, notifier) || (is_the_end(tell.stage) && has_heard(incident, notifier));
    const bool is_of_it = is_story && is_severe;
    if (is_of_it) remember(tell, notifier, is_told);
    const rules::Instant joins = opened + notifier.after.value_or(rules::Duration::zero());
    if (is_of_it && tell.at < joins)
      result.push_back(summary(tell, notifier, joins));
    else if (is_told || (is_of_it && !is_severe_enough(tell, notifier) && lets_through(notifier, tell.stage))) {
      if (is_story && !may_join(incident, notifier, tell.stage)) {
        pass_over(incident, notifier.name);
        continue;
      }
      if (is_story) note_joined(incident, notifier.name);
      result.push_back({.notifier = notifier.name, .tell = tell, .due = tell.at});
    }
  }
  if (!tell.notifier) forget_what_is_over(tell);
  return result;
}

void Outbox::start(OutboxEntry entry) {
  const NotifierSection* notifier = find(entry.notifier);
  busy_.insert(entry.notifier);
  if (notifier == nullptr || drops(entry, *notifier)) {
    Delivery gone;
    gone.permanent = true;
    gone.is_dropped = notifier != nullptr;
    if (gone.is_dropped) pass_over(entry.tell.context.incident, entry.notifier);
    gone.error = gone.is_dropped ? "all goes well by itself"
                                 : "notifier \"" + entry.notifier.text + "\" is not in the configuration any more";
    ended_.push_back({std::move(entry), std::move(gone)});
    woken_ = true;
    return;
  }
  note_joined(entry.tell.context.incident, entry.notifier);
  std::string key = idempotency_key(entry, watcher_name_);
  // What is so only while it is open is said as it is now.
  if (entry.only_while_open) {
    if (std::optional<rules::Situation> now = stands(entry.tell.context.incident)) {
      if (now->message.stage == rules::Stage::progress) now->message.stage = entry.tell.stage;
      entry.tell = std::move(now->message);
    }
  }
  ++in_flight_;
  std::string body = render(entry.tell, *notifier, watcher_name_);
  const bool is_taken_up =
      workers_.post([this, guard = asio::make_work_guard(executor_), section = *notifier, body = std::move(body),
                     attempt = Attempt{std::move(key), clock_.now()}, entry] {
        Delivery delivery = delivered_as(section, body, attempt, &is_closing_);
        asio::post(executor_, [this, entry, delivery = std::move(delivery)]() mutable {
          ended(std::move(entry), std::move(delivery));
        });
      });
  if (is_taken_up) return;
  Delivery failed;
  failed.error = "no thread can be had for it; is there a limit of memory or processes?";
  ended(std::move(entry), std::move(failed));
}

// What is told in need must find its thread: making it then may fail.
void Outbox::prepare() {
  if (!notifiers_.empty() && !workers_.prepare()) log_warning("no_thread", "for=notifiers");
}

void Outbox::ended(OutboxEntry entry, Delivery delivery) {
  --in_flight_;
  ended_.push_back({std::move(entry), std::move(delivery)});
  wake();
}

// Counts and says what became of a delivery.
void Outbox::judge(const Ended& ended) {
  if (ended.delivery.is_dropped) return;
  Counts& counts = counts_[ended.entry.notifier];
  if (ended.delivery.delivered) {
    ++counts.delivered;
    return;
  }
  ++counts.failed;
  const bool last = ended.delivery.permanent || !retry_delay(ended.entry.attempts + 1);
  if (last) ++counts.given_up;
  if (!last && ended.entry.attempts > 0) return;  // transitions, not repetitions
  const std::string fields = "notifier=" + log_value(ended.entry.notifier.text) +
                             " incident=" + log_value(ended.entry.tell.context.incident.text) +
                             " what=" + log_value(ended.delivery.error);
  if (last)
    log_error("notification_given_up", fields);
  else
    log_warning("notification_failed", fields);
}

// false: the journal could not be written; what ended stays, so that nothing is delivered twice for that.
asio::awaitable<bool> Outbox::write_down_ended() {
  for (settle_owed(); !ended_.empty(); settle_owed()) {
    const Ended& first = ended_.front();
    const rules::Instant now = clock_.now();
    std::optional<JournalFault> fault;
    std::function<void(Journal&)> work = [&first, &fault, now](Journal& journal) {
      const std::optional<rules::Duration> delay = retry_delay(first.entry.attempts + 1);
      const rules::Duration asked = first.delivery.retry_after.value_or(rules::Duration::zero());
      if (first.delivery.delivered)
        fault = journal.delivered(first.entry.id);
      else if (first.delivery.permanent || !delay)
        fault = journal.give_up(first.entry.id, first.delivery.error);
      else
        fault = journal.postpone(first.entry.id, now + std::max(*delay, asked), first.delivery.error);
    };
    const bool done = co_await journal_.use(std::move(work));
    if (!done || fault) co_return false;
    judge(ended_.front());
    busy_.erase(ended_.front().entry.notifier);
    ended_.pop_front();
  }
  co_return true;
}

// Starts what is due. When the next is due.
asio::awaitable<std::optional<rules::Instant>> Outbox::start_due() {
  const rules::Instant now = clock_.now();
  std::vector<OutboxEntry> again = repeats(now);
  again.insert(again.end(), joining_.begin(), joining_.end());
  bool is_saved = false;
  std::vector<OutboxEntry> due;
  std::optional<rules::Instant> next;
  std::function<void(Journal&)> work = [&again, &due, &next, &is_saved, now](Journal& journal) {
    // What could not be saved here is repeated the next time.
    is_saved = !journal.enqueue(again);
    due = journal.due_by_notifier(now);
    next = journal.next_due();
  };
  co_await journal_.use(std::move(work));
  if (is_saved) joining_.clear();
  for (OutboxEntry& entry : due) {
    if (busy_.count(entry.notifier) == 0) start(std::move(entry));
  }
  join_late(now);
  const std::optional<rules::Instant> repeat = next_repeat();
  if (repeat && (!next || *repeat < *next)) next = repeat;
  co_return next;
}

asio::awaitable<void> Outbox::loop() {
  co_await recall_told();
  while (true) {
    woken_ = false;
    settle_owed();
    start_owed();
    const bool written = co_await write_down_ended();
    const std::optional<rules::Instant> next = co_await start_due();
    if (woken_) continue;
    rules::Duration wait = written ? look_again : journal_retry;
    // What is due already belongs to a notifier that is busy: its end wakes us.
    const rules::Instant now = clock_.now();
    if (next && *next > now) wait = std::min<rules::Duration>(wait, *next - now);
    timer_.expires_after(wait);
    co_await timer_.async_wait(as_result);
  }
}

asio::awaitable<void> Outbox::close() {
  is_closing_ = true;
  while (in_flight_ > 0) {
    timer_.expires_after(look_again);
    co_await timer_.async_wait(as_result);
  }
  co_await write_down_ended();
  if (owed_.empty()) co_return;
  std::vector<OutboxEntry> owed = take_owed();
  co_await journal_.enqueue(std::move(owed));
}

}  // namespace watcher
