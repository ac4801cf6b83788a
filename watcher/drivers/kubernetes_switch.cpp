#include "watcher/drivers/kubernetes_switch.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "watcher/report/text.hpp"
#include "watcher/report/time_limits.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr rules::Duration look_pause = std::chrono::seconds(1);
constexpr rules::Duration verify_limit = std::chrono::seconds(30);
constexpr rules::Duration go_back_limit = std::chrono::minutes(2);
// An autoscaler may change the number of pods at any moment, and that is no other release.
constexpr int tries_max = 5;

}  // namespace

std::string why_no_rollout(const KubernetesLook& look, const std::string& name, const std::string& to) {
  std::string own = why_own_pod(look);
  if (!own.empty()) return own;
  const KubernetesDeployment& deployment = look.deployment;
  if (deployment.paused) return name + " is paused; do kubectl rollout resume deployment/" + name;
  if (deployment.history_limit == 0)
    return name + " keeps nothing to go back to; do set its revisionHistoryLimit to 10";
  if (!look.unfinished.empty()) return look.unfinished;
  if (to.empty()) return {};
  const std::string part = template_part(to);
  if (part.empty()) return to + " is no revision of a Deployment";
  if (part == template_part(deployment.pods))
    return to == look.revision || look.revision.empty() ? ""
                                                        : to + " has the template that runs already, and what its "
                                                               "image's tag names has changed; do pin images by digest";
  if (set_with(look.sets, part) == nullptr)
    return "no ReplicaSet of " + to + " is kept any more; do raise revisionHistoryLimit (" +
           std::to_string(deployment.history_limit) + ") of " + name + ", or deploy it anew";
  return {};
}

KubernetesSwitch::KubernetesSwitch(const KubernetesCluster& cluster, const probes::Clock& clock, SwitchRequest request)
    : cluster_(cluster),
      clock_(clock),
      request_(std::move(request)),
      deadline_(clock.now() + std::min(request_.limit, cluster.config().rollout_timeout)) {}

void KubernetesSwitch::story(const std::string& line) { result_.output += utc_text(clock_.now()) + " " + line + "\n"; }

asio::awaitable<rules::StepResult> KubernetesSwitch::run() {
  MaybeTrouble trouble = co_await work();
  result_.nothing_begun = trouble && !begun_;
  result_.status = trouble ? trouble->status : rules::StepStatus::succeeded;
  result_.detail = trouble ? trouble->what : request_.to.text + " runs" + result_.detail;
  if (begun_ && !trouble) {
    for (const std::string& manager : before_.deployment.managers)
      aftermath_.push_back(deployment() + ": " + manager + "; put the release that was left right there too");
  }
  co_return std::move(result_);
}

asio::awaitable<KubernetesSwitch::MaybeTrouble> KubernetesSwitch::work() {
  MaybeTrouble trouble = co_await prepare();
  if (trouble) co_return trouble;
  if (left_ == wanted_) {
    begun_ = true;
    story("it has the template of " + request_.to.text + " already; its rollout is waited for");
  } else {
    KubernetesReplicaSet set = *set_with(before_.sets, wanted_);
    trouble = co_await give(std::move(set));
  }
  if (trouble) co_return trouble;
  trouble = co_await wait_for(wanted_, deadline_);
  if (!trouble) {
    trouble = co_await verify();
    co_return trouble;
  }
  // What is only slow, or not waited for any more, is left to come up.
  if (trouble->status == rules::StepStatus::failed)
    co_await put_back(*trouble);
  else
    trouble->what += "\nThe rollout of " + request_.to.text + " goes on without rollbackd: kubectl rollout status " +
                     "deployment/" + deployment();
  co_return trouble;
}

// What is there has to be what was judged: a newer rollout is never taken back unseen.
asio::awaitable<KubernetesSwitch::MaybeTrouble> KubernetesSwitch::prepare() {
  std::string refused = cluster_.why_not_started();
  if (!refused.empty()) co_return KubernetesError{refused};
  before_ = co_await cluster_.look();
  if (before_.deployment.uid.empty()) co_return KubernetesError{before_.error};
  left_ = template_part(before_.deployment.pods);
  wanted_ = template_part(request_.to.text);
  refused = why_no_rollout(before_, deployment(), request_.to.text);
  if (!refused.empty()) co_return KubernetesError{refused};
  const std::string judged = template_part(request_.from.text);
  const bool is_other = !judged.empty() && left_ != judged && left_ != wanted_;
  if (is_other)
    co_return KubernetesError{"the template of " + deployment() + " is no longer that of " + request_.from.text +
                              ": somebody has deployed meanwhile, and it was left so"};
  if (clock_.now() >= deadline_) {
    co_return KubernetesError{"looking at " + deployment() + " took all of the time that there is, so nothing was " +
                                  "begun; do look whether the cluster answers, or give it a longer rollout_timeout",
                              rules::StepStatus::timed_out};
  }
  co_return MaybeTrouble();
}

// The number of a revision changes with each rollback; it is looked up now, and only told.
asio::awaitable<KubernetesSwitch::MaybeTrouble> KubernetesSwitch::give(KubernetesReplicaSet set) {
  const std::string from = template_part(before_.deployment.pods);
  const std::string number = std::to_string(set.revision);
  for (int i = 0; i < tries_max; ++i) {
    std::string document = template_patch(before_.deployment, set.pods, set.change_cause);
    const KubernetesAnswer answer = co_await cluster_.patch(std::move(document));
    const auto* const error = std::get_if<KubernetesError>(&answer);
    if (error == nullptr) {
      begun_ = true;
      story(deployment() + " is given the template of its revision " + number + " (" + set.name + ")");
      co_return MaybeTrouble();
    }
    story(error->what);
    // Refused, changed by somebody else, or done and not answered: what is there says which.
    const KubernetesLook now_so = co_await cluster_.look();
    if (now_so.deployment.uid.empty()) {
      begun_ = true;
      co_return KubernetesError{error->what + "\nNobody knows whether that arrived (" + now_so.error +
                                    "); look at kubectl rollout history deployment/" + deployment(),
                                error->status};
    }
    const std::string there = template_part(now_so.deployment.pods);
    if (there == template_part(set.pods)) {
      begun_ = true;
      co_return MaybeTrouble();
    }
    if (there != from)
      co_return KubernetesError{"somebody has deployed meanwhile, and it was left so (" + error->what + ")"};
    const bool was_scaled = now_so.deployment.generation != before_.deployment.generation;
    if (!was_scaled) co_return *error;
    before_.deployment = now_so.deployment;
  }
  co_return KubernetesError{deployment() + " was changed by somebody else at each of " + std::to_string(tries_max) +
                            " tries; nothing was changed"};
}

// True: the step was called off meanwhile.
asio::awaitable<bool> KubernetesSwitch::pause(rules::Duration length) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, length);
  co_await timer.async_wait(as_result);
  co_return co_await probes::cancelled();
}

// The controller's verdict on the rollout before stands there until this one has got somewhere.
asio::awaitable<KubernetesSwitch::MaybeTrouble> KubernetesSwitch::wait_for(std::string wanted, rules::Instant end) {
  const rules::Instant since = clock_.now();
  const std::string verdict_before = before_.deployment.progress_at;
  std::string told;
  while (true) {
    const KubernetesLook now_so = co_await cluster_.look();
    const bool is_known = !now_so.deployment.uid.empty();
    const KubernetesProgress so_far = progress_of(now_so.deployment);
    std::string awaited = is_known ? so_far.awaited : now_so.error;
    if (is_known && template_part(now_so.deployment.pods) != wanted)
      co_return KubernetesError{"somebody has changed the template of " + deployment() +
                                " meanwhile, and it was left so"};
    if (is_known && so_far.is_done) co_return MaybeTrouble();
    const std::string trouble = trouble_of(now_so, wanted);
    if (!trouble.empty()) awaited += " (" + trouble + ")";
    if (awaited != told) story(awaited);
    told = awaited;
    if (so_far.is_past_deadline && now_so.deployment.progress_at != verdict_before)
      co_return KubernetesError{"the rollout does not come to its end: " + awaited};
    if (clock_.now() >= end)
      co_return KubernetesError{awaited + " after " + waited_text(since, end), rules::StepStatus::timed_out};
    const bool called_off = co_await pause(look_pause);
    if (called_off && !going_back_)
      co_return KubernetesError{"the step was called off", rules::StepStatus::interrupted};
  }
}

// That a rollout is done is no proof. What cannot be read is not bad: whoever asked for the switch reads it as well.
asio::awaitable<KubernetesSwitch::MaybeTrouble> KubernetesSwitch::verify() {
  const rules::Instant end = clock_.now() + verify_limit;
  KubernetesLook look = co_await cluster_.look();
  while (look.revision != request_.to.text && clock_.now() < end) {
    const bool called_off = co_await pause(look_pause);
    if (called_off) break;
    look = co_await cluster_.look();
  }
  if (look.revision == request_.to.text) co_return MaybeTrouble();
  if (look.revision.empty()) {
    result_.detail = ", as far as its Deployment says: " + look.error;
    co_return MaybeTrouble();
  }
  const bool same_template = template_part(look.revision) == wanted_;
  co_return KubernetesError{"the rollout ended well, but " + look.revision + " runs, not " + request_.to.text +
                            (same_template ? ": what the image's tag names has changed; do pin images by digest" : "")};
}

// Kubernetes has given the rollout up.
asio::awaitable<void> KubernetesSwitch::put_back(KubernetesError& trouble) {
  going_back_ = true;
  const KubernetesLook now_so = co_await cluster_.look();
  const KubernetesReplicaSet* const set = set_with(now_so.sets, left_);
  const bool is_ours = !now_so.deployment.uid.empty() && template_part(now_so.deployment.pods) == wanted_;
  if (left_ == wanted_ || !is_ours || set == nullptr) {
    trouble.what += "\nIt was left as it stands; do kubectl rollout undo deployment/" + deployment() +
                    ", or put right what keeps its pods from being ready";
    co_return;
  }
  before_ = now_so;
  KubernetesReplicaSet back = *set;
  MaybeTrouble failed = co_await give(std::move(back));
  const rules::Instant end = clock_.now() + go_back_limit;
  if (!failed) failed = co_await wait_for(left_, end);
  trouble.what += "\nThe template of " + request_.from.text;
  trouble.what += failed ? " was put back, but: " + failed->what : " was put back, and its pods run again";
}

}  // namespace watcher
