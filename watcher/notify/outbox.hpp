#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "probes/clock.hpp"
#include "watcher/journal/journal_thread.hpp"
#include "watcher/notify/notifiers.hpp"
#include "watcher/notify/workers.hpp"

namespace watcher {

// Messages that may wait in memory for a journal that cannot be written: a disk that stays full must not fill memory.
inline constexpr std::ptrdiff_t owed_max = 1000;

// Brings the journal's messages to their receivers: at least once, in order for each notifier and incident, with one
// delivery in flight a notifier, so that a receiver that hangs holds up nobody else. Deliveries run on threads of their
// own; everything else on the loop's thread. The journal is written to by its own thread alone.
class Outbox {
 public:
  struct Counts {
    std::uint64_t delivered = 0;
    std::uint64_t failed = 0;    // attempts
    std::uint64_t given_up = 0;  // messages
  };

  // Where an incident stands now; nothing: it is over.
  using Stands = std::function<std::optional<rules::Situation>(const rules::IncidentId&)>;

  // `clock` and `journal` must outlive it. Its end waits for the deliveries in flight, 10 s at most. Who joins late and
  // who is told again hears what `stands` says then.
  Outbox(asio::any_io_executor executor, const probes::Clock& clock, std::vector<NotifierSection> notifiers,
         std::string watcher_name, JournalThread& journal, Stands stands);
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // What is to be saved in the journal so that the right notifiers are told, at the right time: `after` is reckoned
  // from the incident's opening, or from when a fault was told; what goes well by then, or is over, is not told. Also
  // keeps in mind what `every` is to repeat.
  std::vector<OutboxEntry> entries(const rules::Tell& tell);
  // Messages that could not be saved: what is due is delivered from memory, so that people hear also while the journal
  // is locked or the disk is full. At most `owed_max`; the oldest are lost beyond that.
  void owe(std::vector<OutboxEntry> entries);
  // Takes back what is owed and not on its way, to save it with what comes next.
  std::vector<OutboxEntry> take_owed();
  // Messages were saved: look for what is due.
  void wake();
  // Delivers until cancelled.
  asio::awaitable<void> loop();
  // After loop() has ended: waits for the deliveries in flight and writes down what became of them.
  asio::awaitable<void> close();
  // Another configuration. Messages to notifiers that are gone are given up.
  void replace(std::vector<NotifierSection> notifiers);

  const std::map<rules::NotifierName, Counts>& counts() const { return counts_; }

 private:
  struct Ended {
    OutboxEntry entry;
    Delivery delivery;
  };
  // An incident that is not over: what is told again.
  struct Open {
    rules::Instant opened;
    rules::Severity severity = rules::Severity::p1;
    std::map<rules::NotifierName, rules::Instant> told;  // when they last heard of it
    std::set<rules::NotifierName> joined;                // of those with `after`, who has heard of it
    std::set<rules::NotifierName> passed_over;           // and whose time came while all went well
    bool is_old = false;                                 // people are needed, and have been for long
  };

  static bool is_the_end(rules::Stage stage);  // of an incident

  const NotifierSection* find(const rules::NotifierName& name) const;
  std::optional<rules::Situation> stands(const rules::IncidentId& incident) const;
  std::optional<rules::Duration> repeated_every(const Open& open, const NotifierSection& notifier) const;
  std::optional<rules::Instant> repeated_at(const Open& open, const NotifierSection& notifier) const;
  bool has_heard(const rules::IncidentId& incident, const NotifierSection& notifier) const;
  // Of a fault that lasts: not told yet to a notifier with `after`, or told by now.
  struct Held {
    std::vector<rules::Instant> due;
    bool is_told = false;
  };
  void hold_back(const rules::Tell& tell, const NotifierSection& notifier, std::vector<OutboxEntry>& out);
  rules::Instant free_time(const NotifierSection& notifier, rules::Instant wanted) const;
  bool may_join(const rules::IncidentId& incident, const NotifierSection& notifier, rules::Stage stage) const;
  void note_joined(const rules::IncidentId& incident, const rules::NotifierName& notifier);
  bool drops(const OutboxEntry& entry, const NotifierSection& notifier) const;
  void pass_over(const rules::IncidentId& incident, const rules::NotifierName& notifier);
  void join_late(rules::Instant now);
  void remember(const rules::Tell& tell, const NotifierSection& notifier, bool is_told);
  void forget_what_is_over(const rules::Tell& tell);
  std::vector<OutboxEntry> repeats(rules::Instant now);
  std::optional<rules::Instant> next_repeat() const;
  void prepare();
  void start(OutboxEntry entry);
  void start_owed();
  bool is_in_flight(const rules::NotifierName& notifier) const;
  void settle_owed();
  void ended(OutboxEntry entry, Delivery delivery);
  void judge(const Ended& ended);
  asio::awaitable<void> recall_told();
  void recall(const rules::IncidentId& incident, const rules::NotifierName& name, const Heard& heard);
  asio::awaitable<bool> write_down_ended();
  asio::awaitable<std::optional<rules::Instant>> start_due();

  asio::any_io_executor executor_;
  const probes::Clock& clock_;
  std::vector<NotifierSection> notifiers_;
  std::string watcher_name_;
  JournalThread& journal_;
  Stands stands_;
  asio::steady_timer timer_;  // the next that is due; cancelled by wake()
  bool woken_ = false;
  std::set<rules::NotifierName> busy_;  // a delivery is in flight, or its end is not written down yet
  std::size_t in_flight_ = 0;
  std::deque<Ended> ended_;           // of a notifier at most one that was saved
  std::deque<OutboxEntry> owed_;      // not saved, the oldest first
  std::vector<OutboxEntry> joining_;  // whom it does not go well for any more; saved at the next turn
  std::map<rules::IncidentId, Open> open_;
  std::map<std::pair<rules::NotifierName, std::string>, Held> held_;  // with what the fault is called
  std::map<rules::NotifierName, Counts> counts_;
  std::atomic<bool> is_closing_ = false;  // read by deliveries
  Workers workers_;                       // deliver; the last member, for what they do needs the others
};

}  // namespace watcher
