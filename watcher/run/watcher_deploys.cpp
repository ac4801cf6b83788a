#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "watcher/run/watcher.hpp"

// What deploy scripts say. One deployment may be of several services.

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// What a deployment that found the host busy is told to wait before it tries again.
constexpr std::string_view busy_advice = "; try again when it has ended";

rules::Answer refused(std::string text) {
  rules::Answer answer;
  answer.text = std::move(text);
  return answer;
}

}  // namespace

bool Watcher::knows(const rules::ServiceName& service) const {
  const std::vector<rules::ServiceSpec>& services = config_->core.services;
  return std::any_of(services.begin(), services.end(), [&](const auto& one) { return one.name == service; });
}

bool Watcher::is_seen(const rules::Revision& revision, const rules::ServiceName& service) const {
  const std::vector<rules::Revision> known = seen_of(service);
  return std::find(known.begin(), known.end(), revision) != known.end();
}

// Empty: the host is theirs, else who has it, and nothing was taken.
std::string Watcher::lock_for(const std::vector<rules::DeployMark>& marks, const std::string& by) {
  for (const rules::DeployMark& mark : marks) {
    if (mark.kind != rules::MarkKind::begin) continue;
    // Only the first can fail: the others join it.
    const std::string holder = deeds_.lock_for_deployment(mark.service, by);
    if (!holder.empty()) return "the host is busy: " + holder + std::string(busy_advice);
  }
  return "";
}

// A slip in a name, or something said of what has run for long, must not go unnoticed.
std::string Watcher::counts_for(const std::vector<rules::DeployMark>& marks) const {
  std::string out;
  for (const rules::DeployMark& mark : marks) {
    if (mark.kind == rules::MarkKind::begin) continue;
    const auto services = view().services;
    const auto seen = std::find_if(services.begin(), services.end(),
                                   [&](const rules::ServiceView& one) { return one.service == mark.service; });
    if (seen == services.end() || seen->revision.empty()) continue;
    const std::string& runs = seen->revision.text;
    if (mark.kind == rules::MarkKind::end && seen->deploying) {
      out += "; a deployment of " + mark.service.text +
             " that began has not ended yet: it needs a `deploy end` of its own";
    } else if (mark.revision && mark.revision->text != runs && mark.kind == rules::MarkKind::mark &&
               is_seen(*mark.revision, mark.service)) {
      out += "; it is said of " + mark.revision->text + ", and " + runs + " was last seen to run";
    } else if (mark.revision && mark.revision->text != runs) {
      out += "; " + mark.revision->text + " is not what was last seen to run (" + runs + "): it counts once it runs";
    } else if (!mark.revision && mark.kind == rules::MarkKind::mark &&
               seen->running_since + rules::mark_late_max <= mark.at) {
      out += "; it counts for the revision that comes next; to say it of what runs, name " + runs;
    }
  }
  return out;
}

// Who began it may have died: what is said once more does not end with it.
std::string Watcher::joins(const std::vector<rules::DeployMark>& marks) const {
  std::string out;
  const auto services = view().services;
  for (const rules::DeployMark& mark : marks) {
    if (mark.kind != rules::MarkKind::begin) continue;
    const auto seen = std::find_if(services.begin(), services.end(),
                                   [&](const rules::ServiceView& one) { return one.service == mark.service; });
    if (seen == services.end() || !seen->deployment_began) continue;
    out += "; this joins the deployment of " + mark.service.text +
           " that began before and has not ended: it is over when each has said `rollbackd deploy end --service " +
           mark.service.text + "`";
  }
  return out;
}

asio::awaitable<rules::Answer> Watcher::mark(std::vector<rules::DeployMark> marks, std::string by) {
  for (rules::DeployMark& mark : marks) {
    if (!knows(mark.service)) co_return refused("there is no service \"" + mark.service.text + "\"");
    const std::string not_understood = co_await understand(mark);
    if (!not_understood.empty()) co_return refused(not_understood);
  }
  const std::string busy = lock_for(marks, by);
  if (!busy.empty()) co_return refused(busy);
  const std::string joined = joins(marks);
  for (const rules::DeployMark& mark : marks) loop_.observe(mark);
  loop_.decide_now();
  // What waited for the deployment's end has been commanded now: it gets the host's lock at once.
  if (deeds_.deployment_under_way()) deeds_.release_ended_deployments(view());
  co_await loop_.settled();
  for (const rules::DeployMark& mark : marks) {
    if (mark.kind == rules::MarkKind::begin) continue;
    deployed(mark.service);
    co_await until_seen(mark.service);
  }
  rules::Answer answer;
  answer.accepted = true;
  answer.text = "noted" + joined + counts_for(marks);
  co_return answer;
}

// Whoever goes on relies on it that what was said is said of the right revision; an `identify` that hangs keeps no
// deploy script waiting for long.
asio::awaitable<void> Watcher::until_seen(rules::ServiceName service) {
  constexpr auto step = std::chrono::milliseconds(20);
  constexpr int steps_most = 100;
  asio::steady_timer timer(io_.get_executor());
  for (int i = 0; i < steps_most; ++i) {
    const auto services = view().services;
    const bool waits = std::any_of(services.begin(), services.end(), [&](const rules::ServiceView& one) {
      return one.service == service && one.in_doubt;
    });
    if (!waits) co_return;
    timer.expires_after(step);
    co_await timer.async_wait(as_result);
  }
}

// What was deployed is looked at at once, not at the next turn.
void Watcher::deployed(const rules::ServiceName& service) {
  ServiceReader* const reader = reader_of(service);
  if (reader != nullptr) reader->read_until_agreed();
}

}  // namespace watcher
