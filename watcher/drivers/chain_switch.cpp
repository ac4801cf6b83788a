#include <boost/asio/this_coro.hpp>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "watcher/drivers/driver_chain.hpp"
#include "watcher/report/text.hpp"

// A switch by the first driver that can. At most one of them ever begins for an incident.

namespace watcher {

namespace {

using rules::StepResult;
using rules::StepStatus;

constexpr std::size_t reason_max = 500;  // bytes of why one was passed over

StepResult not_begun(std::string detail) {
  StepResult result;
  result.nothing_begun = true;
  result.detail = std::move(detail);
  return result;
}

// While it lives, what runs is between two revisions.
class Switching {
 public:
  explicit Switching(bool& flag) : flag_(flag) { flag_ = true; }
  ~Switching() { flag_ = false; }
  Switching(const Switching&) = delete;
  Switching& operator=(const Switching&) = delete;

 private:
  bool& flag_;
};

void note_passed_over(std::string& passed_over, const std::string& word, const std::string& why) {
  passed_over += (passed_over.empty() ? "" : "; ") + word + ": " + clean_line(why, reason_max);
}

// The first line says who did it, and why not those before; what follows is left to do.
void say_by_whom(StepResult& result, const std::string& word, const std::string& passed_over) {
  std::string by = "by " + word;
  if (!passed_over.empty()) by += ", since " + passed_over;
  const std::size_t line = result.detail.find('\n');
  const std::string rest = line == std::string::npos ? "" : result.detail.substr(line);
  result.detail.resize(std::min(line, result.detail.size()));
  result.detail = (result.detail.empty() ? by : result.detail + " (" + by + ")") + rest;
}

}  // namespace

// For that driver: what it calls the revisions, also in the environment of its commands.
SwitchRequest Chain::translated(const ChainLink& link, const ChainNotes& notes, const SwitchRequest& request) const {
  SwitchRequest out = request;
  out.from = named_by(link, notes, request.from);
  out.to = named_by(link, notes, request.to);
  const std::pair<const char*, const rules::Revision*> names[] = {{"ROLLBACKD_FROM", &out.from},
                                                                  {"ROLLBACKD_TO", &out.to}};
  for (const auto& [variable, revision] : names) {
    const auto found = out.env.find(variable);
    if (found != out.env.end()) found->second = revision->text;
  }
  return out;
}

asio::awaitable<StepResult> Chain::switch_to(SwitchRequest request) {
  // When it is called off in the middle, what was begun still has to be left in order and told.
  co_await asio::this_coro::throw_if_cancelled(false);
  if (request.limit <= rules::Duration::zero()) request.limit = switch_limit_;
  const ChainNotesFile::Found found = file_.read();
  if (!found.error.empty()) co_return not_begun(found.error);
  const Switching switching(switching_);
  may_be_unfinished_ = true;
  const ChainNotes& notes = found.notes;
  const bool goes_on = !notes.driver.empty() && !request.incident.empty() && notes.incident == request.incident.text &&
                       notes.to == request.to.text;
  if (goes_on) co_return co_await go_on(notes.driver, std::move(request));
  co_return co_await choose(std::move(request));
}

asio::awaitable<StepResult> Chain::choose(SwitchRequest request) {
  const rules::Instant deadline = clock_.now() + request.limit;
  std::optional<rules::Revision> to;
  if (!request.to.empty()) to = request.to;
  std::string passed_over;
  for (std::size_t which = 0; which < links_.size(); ++which) {
    std::string why = co_await why_not(which, to, Look::fresh);
    bool called_off = co_await probes::cancelled();
    request.limit = deadline - clock_.now();
    if (request.limit <= rules::Duration::zero()) why = "no time was left for it";
    StepResult result = not_begun(why);
    if (why.empty() && !called_off) {
      SwitchRequest own = request;
      result = co_await begin(which, std::move(own));
      called_off = co_await probes::cancelled();
    }
    const std::string& word = links_[which].word;
    if (!result.nothing_begun) {
      say_by_whom(result, word, passed_over);
      co_return result;
    }
    if (called_off) {
      result.status = StepStatus::interrupted;
      result.detail = "called off before anything was changed";
      co_return result;
    }
    note_passed_over(passed_over, word, result.detail);
  }
  co_return not_begun(passed_over);
}

asio::awaitable<StepResult> Chain::begin(std::size_t which, SwitchRequest request) {
  const ChainLink& link = links_[which];
  ChainNotesFile::Found found = file_.read();
  if (!found.error.empty()) co_return not_begun(found.error);
  ChainNotes before = found.notes;
  found.notes.incident = request.incident.text;
  found.notes.to = request.to.text;
  found.notes.driver = link.word;
  if (const auto fault = file_.write(found.notes)) co_return not_begun("note that it begins: " + *fault);
  SwitchRequest own = translated(link, found.notes, request);
  own.another_follows = which + 1 < links_.size();
  StepResult result = co_await link.driver->switch_to(std::move(own));
  if (!result.nothing_begun) co_return result;
  // The next one may, and what another one left unfinished is not forgotten.
  if (const auto fault = file_.write(before)) {
    result.nothing_begun = false;
    result.detail += "; and that it did not begin could not be noted: " + *fault;
  }
  co_return result;
}

// Begun by a watcher that was killed: nobody else takes its place.
asio::awaitable<StepResult> Chain::go_on(std::string word, SwitchRequest request) {
  const ChainLink* const link = link_called(word);
  StepResult result;
  result.status = StepStatus::interrupted;
  if (link == nullptr) {
    result.detail = word + " had begun it when rollbackd ended, and is none of the service's drivers any more";
    co_return result;
  }
  if (!link->resumes && !request.may_repeat) {
    result.detail = word + " had begun it when rollbackd ended, and what it does is not begun a second time";
    co_return result;
  }
  const ChainNotes notes = file_.read().notes;
  SwitchRequest own = translated(*link, notes, request);
  result = co_await link->driver->switch_to(std::move(own));
  say_by_whom(result, word, "");
  co_return result;
}

}  // namespace watcher
