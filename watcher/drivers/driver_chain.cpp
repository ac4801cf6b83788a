#include "watcher/drivers/driver_chain.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace watcher {

namespace {

void append(std::vector<std::string>& to, std::vector<std::string> more) {
  for (std::string& one : more) to.push_back(std::move(one));
}

struct Maker {
  const DriverSection& section;
  const std::string& state_dir;
  const probes::Clock& clock;

  ChainLink operator()(std::monostate) const { return {}; }
  ChainLink operator()(const auto& driver) const {
    return {"", driver.make(section, state_dir, clock), driver.identifies(), driver.resumes()};
  }
};

}  // namespace

Chain::Chain(rules::ServiceName service, std::vector<ChainLink> links, const std::string& state_dir,
             rules::Duration switch_limit, const probes::Clock& clock)
    : service_(std::move(service)),
      links_(std::move(links)),
      switch_limit_(switch_limit),
      clock_(clock),
      file_(state_dir, service_.text) {
  const auto first = std::find_if(links_.begin(), links_.end(), [](const ChainLink& link) { return link.identifies; });
  namer_ = static_cast<std::size_t>(first - links_.begin());
}

bool Chain::takes_names_of_namer(const ChainLink& link) const {
  return !link.identifies || (namer_ < links_.size() && &link == &links_[namer_]);
}

// Empty: nobody knows.
rules::Revision Chain::named_by(const ChainLink& link, const ChainNotes& notes, const rules::Revision& revision) const {
  if (takes_names_of_namer(link)) return revision;
  return rules::Revision(name_of(notes, link.word, revision.text));
}

const ChainLink* Chain::link_called(const std::string& word) const {
  const auto found = std::find_if(links_.begin(), links_.end(), [&](const auto& link) { return link.word == word; });
  return found == links_.end() ? nullptr : &*found;
}

asio::awaitable<rules::RevisionRead> Chain::identify() {
  rules::RevisionRead read;
  read.service = service_;
  read.started = read.ended = clock_.now();
  read.error = "no identify command is configured";
  if (namer_ == links_.size()) co_return read;
  Driver& namer = *links_.at(namer_).driver;
  read = co_await namer.identify();
  if (read.revision) running_ = *read.revision;
  // What another one has begun and not seen to its end only that one knows.
  const ChainLink* const last = link_called(file_.read().notes.driver);
  if (!may_be_unfinished_ || last == nullptr || takes_names_of_namer(*last)) co_return read;
  const bool was_switching = switching_;
  rules::RevisionRead others = co_await last->driver->identify();
  may_be_unfinished_ = was_switching || switching_ || !others.unfinished.empty();
  if (read.unfinished.empty() && !others.unfinished.empty()) read.unfinished = last->word + ": " + others.unfinished;
  co_return read;
}

asio::awaitable<void> Chain::learn_names() {
  if (switching_ || running_.empty()) co_return;
  const rules::Revision running = running_;
  std::vector<std::pair<std::string, std::string>> heard;
  for (const ChainLink& link : links_) {
    if (takes_names_of_namer(link)) continue;
    const rules::RevisionRead read = co_await link.driver->identify();
    if (read.revision) heard.emplace_back(link.word, read.revision->text);
  }
  // Read only now: a switch may have begun meanwhile, and has written into it.
  ChainNotesFile::Found found = file_.read();
  if (switching_ || !found.error.empty()) co_return;
  ChainNotes& notes = found.notes;
  bool is_new = false;
  if (const std::string& namer = links_[namer_].word; notes.namer != namer) {
    notes.names.clear();
    notes.running = notes.before = "";
    notes.namer = namer;
    is_new = true;
  }
  is_new = note_running(notes, running.text) || is_new;
  for (const auto& [word, name] : heard) is_new = learner_.heard(notes, word, running.text, name) || is_new;
  // What is not written down is learnt again.
  if (is_new) static_cast<void>(file_.write(notes));
}

asio::awaitable<std::string> Chain::why_not(std::size_t which, std::optional<rules::Revision> to, Look look) {
  const ChainLink& link = links_[which];
  const ChainNotesFile::Found found = file_.read();
  if (!found.error.empty()) co_return found.error;
  std::optional<rules::Revision> name = to;
  if (to && !takes_names_of_namer(link)) {
    std::string unnamed = why_no_name(found.notes, link.word, to->text);
    if (!unnamed.empty()) co_return unnamed;
    name = named_by(link, found.notes, *to);
    const bool is_there = *to != running_ && learner_.last_heard(link.word, running_.text) == name->text;
    if (is_there) co_return "it says that " + name->text + ", by which it knows " + to->text + ", runs already";
  }
  rules::ReadinessRead read;
  if (look == Look::fresh)
    read = co_await link.driver->ready(std::move(name));
  else
    read = co_await link.driver->still_ready(std::move(name));
  if (read.ready) co_return std::string();
  co_return read.reason.empty() ? "not ready" : read.reason;
}

asio::awaitable<rules::ReadinessRead> Chain::readiness(std::optional<rules::Revision> to, Look look) {
  rules::ReadinessRead out;
  std::string reasons;
  std::size_t chosen = links_.size();
  for (std::size_t which = 0; which < links_.size(); ++which) {
    rules::DriverReadiness one;
    one.driver = links_[which].word;
    one.why_not = co_await why_not(which, to, look);
    if (one.why_not.empty())
      chosen = std::min(chosen, which);
    else
      reasons += (reasons.empty() ? "" : "; ") + one.driver + ": " + one.why_not;
    out.drivers.push_back(std::move(one));
  }
  chosen_ = chosen < links_.size() ? chosen : 0;
  out.service = service_;
  out.ready = chosen < links_.size();
  if (!out.ready) out.reason = std::move(reasons);
  out.at = clock_.now();
  co_return out;
}

asio::awaitable<rules::ReadinessRead> Chain::ready(std::optional<rules::Revision> to) {
  co_return co_await readiness(std::move(to), Look::fresh);
}

asio::awaitable<rules::ReadinessRead> Chain::still_ready(std::optional<rules::Revision> to) {
  co_await learn_names();
  co_return co_await readiness(std::move(to), Look::usual);
}

// The revisions that another one may mean by it: by its own names, or by what people call these.
asio::awaitable<std::vector<rules::Revision>> Chain::meant_by_other(std::size_t which, std::string name) {
  const ChainLink& link = links_[which];
  std::vector<rules::Revision> names(1, rules::Revision(name));
  NameMeans means = co_await link.driver->meaning_of(std::move(name));
  for (rules::Revision& one : means.meant) names.push_back(std::move(one));
  const ChainNotes notes = file_.read().notes;
  std::set<std::string> meant;
  for (const rules::Revision& one : names) {
    for (std::string& revision : called(notes, link.word, one.text)) meant.insert(std::move(revision));
  }
  std::vector<rules::Revision> out;
  for (const std::string& revision : meant) out.emplace_back(revision);
  co_return out;
}

asio::awaitable<NameMeans> Chain::meaning_of(std::string name) {
  NameMeans means;
  if (namer_ < links_.size()) {
    Driver& namer = *links_.at(namer_).driver;
    means = co_await namer.meaning_of(name);
  }
  if (!means.meant.empty()) co_return means;
  for (std::size_t which = 0; which < links_.size(); ++which) {
    if (takes_names_of_namer(links_[which])) continue;
    std::vector<rules::Revision> meant = co_await meant_by_other(which, name);
    if (meant.empty()) continue;
    means.knows_names = true;
    means.why_none.clear();
    means.meant = std::move(meant);
    co_return means;
  }
  co_return means;
}

asio::awaitable<std::vector<std::string>> Chain::taken_back(rules::Revision from, rules::Revision to,
                                                            std::size_t most) {
  std::vector<std::string> lines;
  for (const ChainLink& link : links_) {
    const ChainNotes notes = file_.read().notes;
    rules::Revision its_from = named_by(link, notes, from);
    rules::Revision its_to = named_by(link, notes, to);
    if (its_from.empty() || its_to.empty() || lines.size() >= most) continue;
    const std::size_t left = most - lines.size();
    std::vector<std::string> more = co_await link.driver->taken_back(std::move(its_from), std::move(its_to), left);
    append(lines, std::move(more));
  }
  co_return lines;
}

std::vector<std::string> Chain::asks_for(const rules::Revision& from, const rules::Revision& to) const {
  const ChainLink& link = links_[chosen_];
  const ChainNotes notes = file_.read().notes;
  return link.driver->asks_for(named_by(link, notes, from), named_by(link, notes, to));
}

asio::awaitable<std::vector<std::string>> Chain::taken_away(rules::Revision to, std::vector<std::string> files) {
  const ChainLink& link = links_[chosen_];
  rules::Revision name = named_by(link, file_.read().notes, to);
  co_return co_await link.driver->taken_away(std::move(name), std::move(files));
}

asio::awaitable<std::vector<std::vector<rules::Revision>>> Chain::alike(Known known,
                                                                        std::vector<rules::Revision> named) {
  std::vector<std::vector<rules::Revision>> none;
  if (namer_ == links_.size()) co_return none;
  Driver& namer = *links_.at(namer_).driver;
  co_return co_await namer.alike(std::move(known), std::move(named));
}

// Of all: whichever switches, what each would have said of it is gone then.
asio::awaitable<std::vector<EvidenceCommand>> Chain::evidence() {
  std::vector<EvidenceCommand> all;
  std::set<std::string> files;
  for (const ChainLink& link : links_) {
    std::vector<EvidenceCommand> more = co_await link.driver->evidence();
    for (EvidenceCommand& one : more) {
      if (!files.insert(one.file).second) one.file = link.word + "-" + one.file;
      all.push_back(std::move(one));
    }
  }
  co_return all;
}

asio::awaitable<std::vector<std::string>> Chain::advice() {
  std::vector<std::string> lines;
  for (const ChainLink& link : links_) {
    const std::vector<std::string> more = co_await link.driver->advice();
    for (const std::string& line : more) lines.push_back(link.word + ": " + line);
  }
  co_return lines;
}

void Chain::be_patient() {
  for (const ChainLink& link : links_) link.driver->be_patient();
}

std::vector<std::string> Chain::secrets() const {
  std::vector<std::string> all;
  for (const ChainLink& link : links_) append(all, link.driver->secrets());
  return all;
}

// Of the one that switched last.
std::string Chain::aftermath() const {
  const ChainLink* const last = link_called(file_.read().notes.driver);
  return last == nullptr ? std::string() : last->driver->aftermath();
}

std::unique_ptr<Driver> DriverChain::make(const DriverSection& section, const std::string& state_dir,
                                          const probes::Clock& clock) const {
  std::vector<ChainLink> made;
  for (const DriverLink& link : links) {
    ChainLink one = std::visit(Maker{section, state_dir, clock}, link.kind);
    one.word = link.word;
    made.push_back(std::move(one));
  }
  return std::make_unique<Chain>(section.service, std::move(made), state_dir, section.timeout, clock);
}

}  // namespace watcher
