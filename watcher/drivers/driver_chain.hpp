#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "watcher/drivers/chain_notes.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// One of several drivers of a service.
struct ChainLink {
  std::string word;
  std::unique_ptr<Driver> driver;
  bool identifies = false;  // says itself what runs; else it is given the names of the one that does
  bool resumes = false;     // a switch of it that was broken off may be done again
};

// Several drivers of one service, the fastest first. What runs the first one says that can. A rollback goes by the
// first that is ready for its target; by the next only when that one has not begun: what a driver has changed another
// one does not change again. Which one has begun is on the disk before it does.
class Chain final : public Driver {
 public:
  Chain(rules::ServiceName service, std::vector<ChainLink> links, const std::string& state_dir,
        rules::Duration switch_limit, const probes::Clock& clock);

  asio::awaitable<rules::RevisionRead> identify() override;
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) override;
  asio::awaitable<rules::ReadinessRead> still_ready(std::optional<rules::Revision> to) override;
  asio::awaitable<NameMeans> meaning_of(std::string name) override;
  asio::awaitable<std::vector<std::string>> taken_back(rules::Revision from, rules::Revision to,
                                                       std::size_t most) override;
  std::vector<std::string> asks_for(const rules::Revision& from, const rules::Revision& to) const override;
  asio::awaitable<std::vector<std::string>> taken_away(rules::Revision to, std::vector<std::string> files) override;
  asio::awaitable<std::vector<std::vector<rules::Revision>>> alike(Known known,
                                                                   std::vector<rules::Revision> named) override;
  asio::awaitable<std::vector<EvidenceCommand>> evidence() override;
  asio::awaitable<std::vector<std::string>> advice() override;
  void be_patient() override;
  std::vector<std::string> secrets() const override;
  asio::awaitable<rules::StepResult> switch_to(SwitchRequest request) override;
  std::string aftermath() const override;

 private:
  enum class Look { fresh, usual };  // ready() or still_ready()

  bool takes_names_of_namer(const ChainLink& link) const;
  rules::Revision named_by(const ChainLink& link, const ChainNotes& notes, const rules::Revision& revision) const;
  asio::awaitable<void> learn_names();
  asio::awaitable<std::string> why_not(std::size_t which, std::optional<rules::Revision> to, Look look);
  asio::awaitable<rules::ReadinessRead> readiness(std::optional<rules::Revision> to, Look look);
  asio::awaitable<std::vector<rules::Revision>> meant_by_other(std::size_t which, std::string name);
  SwitchRequest translated(const ChainLink& link, const ChainNotes& notes, const SwitchRequest& request) const;
  asio::awaitable<rules::StepResult> choose(SwitchRequest request);
  asio::awaitable<rules::StepResult> begin(std::size_t which, SwitchRequest request);
  asio::awaitable<rules::StepResult> go_on(std::string word, SwitchRequest request);
  const ChainLink* link_called(const std::string& word) const;

  rules::ServiceName service_;
  std::vector<ChainLink> links_;
  std::size_t namer_ = 0;  // links_.size(): nobody can say what runs
  rules::Duration switch_limit_;
  const probes::Clock& clock_;
  ChainNotesFile file_;
  NameLearner learner_;
  rules::Revision running_;  // the last that was seen
  std::size_t chosen_ = 0;   // by which a rollback would have gone when it was asked last
  bool switching_ = false;
  bool may_be_unfinished_ = true;  // what the one that switched last has begun
};

}  // namespace watcher
