#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "watcher/journal/journal.hpp"

// A journal whose next saves fail, as those of a disk that stalls do; everything else is the real one's.
class FailingJournal final : public watcher::Journal {
 public:
  using Fault = std::optional<watcher::JournalFault>;
  using Records = std::vector<rules::Record>;
  using Entries = std::vector<watcher::OutboxEntry>;

  // `saves_to_fail` must outlive it.
  FailingJournal(std::unique_ptr<watcher::Journal> real, int& saves_to_fail)
      : real_(std::move(real)), saves_to_fail_(saves_to_fail) {}

  const watcher::JournalState& found() const override { return real_->found(); }
  Fault save(const Records& records) override { return save(records, {}); }
  Fault save(const Records& records, const Entries& messages) override {
    if (saves_to_fail_ <= 0) return real_->save(records, messages);
    --saves_to_fail_;
    return watcher::JournalFault{.what = "save a decision: database is locked"};
  }
  std::string take_damage() override { return real_->take_damage(); }
  std::string host_copy_trouble() override { return real_->host_copy_trouble(); }
  Fault alive(rules::Instant now) override { return real_->alive(now); }
  Fault enqueue(const Entries& entries) override { return real_->enqueue(entries); }
  Entries due(rules::Instant now, std::size_t most) override { return real_->due(now, most); }
  Entries due_by_notifier(rules::Instant now) override { return real_->due_by_notifier(now); }
  std::optional<rules::Instant> next_due() override { return real_->next_due(); }
  Fault delivered(std::int64_t id) override { return real_->delivered(id); }
  Fault postpone(std::int64_t id, rules::Instant due, const std::string& error) override {
    return real_->postpone(id, due, error);
  }
  Fault give_up(std::int64_t id, const std::string& error) override { return real_->give_up(id, error); }
  watcher::Heard heard(const rules::NotifierName& notifier, const rules::IncidentId& id) override {
    return real_->heard(notifier, id);
  }
  std::vector<rules::IncidentRecord> incidents(std::size_t most) override { return real_->incidents(most); }
  std::optional<rules::IncidentRecord> incident(const rules::IncidentId& id) override { return real_->incident(id); }
  std::vector<rules::StepRecord> steps(const rules::IncidentId& id) override { return real_->steps(id); }
  std::vector<rules::LedgerRecord> ledger() override { return real_->ledger(); }
  Fault take_read_fault() override { return real_->take_read_fault(); }
  bool reserve_held() override { return real_->reserve_held(); }
  Fault keep_reserve() override { return real_->keep_reserve(); }
  Fault accept_state() override { return real_->accept_state(); }
  bool observe_only() override { return real_->observe_only(); }

 private:
  std::unique_ptr<watcher::Journal> real_;
  int& saves_to_fail_;
};
