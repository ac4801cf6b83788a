#include "watcher/drivers/kubernetes_driver.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "watcher/drivers/kubernetes_cluster.hpp"
#include "watcher/drivers/kubernetes_notes.hpp"
#include "watcher/drivers/kubernetes_switch.hpp"
#include "watcher/steps/evidence.hpp"

namespace watcher {

namespace {

constexpr std::size_t pods_max = 8;  // whose last words are kept
class Deployment final : public Driver {
 public:
  Deployment(rules::ServiceName service, KubernetesDriver config, rules::Duration switch_limit,
             const std::string& state_dir, const probes::Clock& clock)
      : service_(std::move(service)),
        config_(with_deployment(std::move(config), service_)),
        switch_limit_(switch_limit),
        clock_(clock),
        cluster_(make_kubernetes_cluster(config_, state_dir)),
        file_(state_dir, service_.text),
        notes_(file_.read()) {}

  asio::awaitable<rules::RevisionRead> identify() override;
  asio::awaitable<rules::ReadinessRead> ready(std::optional<rules::Revision> to) override;
  asio::awaitable<rules::ReadinessRead> still_ready(std::optional<rules::Revision> to) override;
  asio::awaitable<NameMeans> meaning_of(std::string name) override;
  asio::awaitable<std::vector<std::string>> taken_back(rules::Revision from, rules::Revision to,
                                                       std::size_t most) override;
  asio::awaitable<std::vector<EvidenceCommand>> evidence() override;
  asio::awaitable<std::vector<std::string>> advice() override;
  asio::awaitable<rules::StepResult> switch_to(SwitchRequest request) override;
  std::string aftermath() const override;

 private:
  static KubernetesDriver with_deployment(KubernetesDriver config, const rules::ServiceName& service);
  asio::awaitable<std::string> why_not_ready(std::optional<rules::Revision> to);
  bool is_between(const KubernetesLook& look) const;
  rules::RevisionRead left_so_far(rules::RevisionRead read, const KubernetesLook& look) const;
  void note(const KubernetesLook& look);

  rules::ServiceName service_;
  KubernetesDriver config_;
  rules::Duration switch_limit_;
  const probes::Clock& clock_;
  std::unique_ptr<KubernetesCluster> cluster_;
  KubernetesNotesFile file_;
  KubernetesNotes notes_;
  KubernetesLook look_;  // the last that saw what runs
  rules::Instant looked_at_;
  rules::Instant permission_again_at_;
  bool switching_ = false;
};

KubernetesDriver Deployment::with_deployment(KubernetesDriver config, const rules::ServiceName& service) {
  if (config.deployment.empty()) config.deployment = service.text;
  return config;
}

asio::awaitable<rules::RevisionRead> Deployment::identify() {
  rules::RevisionRead read;
  read.service = service_;
  read.started = clock_.now();
  read.by = "the images and the template of the pods of " + cluster_->name() + ", from " + cluster_->how();
  read.error = cluster_->why_not_started();
  if (read.error.empty()) {
    KubernetesLook look = co_await cluster_->look();
    read.error = look.error;
    read.instance_absent = look.is_changing;
    read.instances_differ = look.differ;
    read.unfinished = look.unfinished;
    if (is_between(look)) {
      read = left_so_far(std::move(read), look);
    } else if (read.error.empty()) {
      read.revision = rules::Revision(look.revision);
      look_ = std::move(look);
      looked_at_ = read.started;
    }
  }
  read.ended = clock_.now();
  co_return read;
}

// On the way of our own switch, or of one that our end broke off.
bool Deployment::is_between(const KubernetesLook& look) const {
  return look.revision.empty() && !notes_.to.empty() && !look.deployment.uid.empty() &&
         template_part(look.deployment.pods) == template_part(notes_.to);
}

// What is left counts as what runs until nothing of it is ready: so a switch that was broken off is seen through.
rules::RevisionRead Deployment::left_so_far(rules::RevisionRead read, const KubernetesLook& look) const {
  read.unfinished = "the rollout to " + notes_.to +
                    " that rollbackd began has not come to its end: " + progress_of(look.deployment).awaited +
                    "; do kubectl rollout status deployment/" + config_.deployment;
  read.error.clear();
  read.instance_absent = false;
  read.revision = rules::Revision(notes_.from);
  return read;
}

asio::awaitable<std::string> Deployment::why_not_ready(std::optional<rules::Revision> to) {
  constexpr rules::Duration look_lasts = std::chrono::seconds(12);
  constexpr rules::Duration permission_lasts = std::chrono::minutes(5);
  std::string refused = why_unsafe_target(to);
  if (refused.empty()) refused = cluster_->why_not_started();
  if (!refused.empty()) co_return refused;
  // What the watcher has just seen is not asked for again: each kubectl is a tenth of a second of a core.
  const bool is_fresh = clock_.now() - looked_at_ <= look_lasts;
  KubernetesLook look = look_;
  if (!is_fresh) look = co_await cluster_->look();
  if (look.deployment.uid.empty()) co_return look.error;
  refused = why_no_rollout(look, config_.deployment, to.value_or(rules::Revision()).text);
  const rules::Instant now = clock_.now();
  if (!refused.empty() || now < permission_again_at_) co_return refused;
  refused = co_await cluster_->why_not_permitted();
  if (refused.empty()) permission_again_at_ = now + permission_lasts;
  co_return refused;
}

asio::awaitable<rules::ReadinessRead> Deployment::ready(std::optional<rules::Revision> to) {
  looked_at_ = permission_again_at_ = rules::Instant();
  std::string refused = co_await why_not_ready(std::move(to));
  co_return readiness_of(service_, std::move(refused), clock_.now());
}

// The watcher's own look: it notes what runs.
asio::awaitable<rules::ReadinessRead> Deployment::still_ready(std::optional<rules::Revision> to) {
  note(look_);
  std::string refused = co_await why_not_ready(std::move(to));
  co_return readiness_of(service_, std::move(refused), clock_.now());
}

// What is not written down is noted again at the next look.
void Deployment::note(const KubernetesLook& look) {
  const KubernetesReplicaSet* const set = set_with(look.sets, template_part(look.revision));
  if (set == nullptr) return;
  KubernetesNotes changed = notes_;
  // One that our end broke off has come to its end since.
  const bool is_done = !switching_ && !notes_.to.empty() && look.revision == notes_.to;
  if (is_done) changed.from = changed.to = "";
  const bool is_news = note_seen(changed, {look.revision, set->pods.images}) || is_done;
  if (!is_news || file_.write(changed)) return;
  notes_ = std::move(changed);
}

asio::awaitable<NameMeans> Deployment::meaning_of(std::string name) {
  NameMeans out = revisions_named(notes_, name);
  co_return out;
}

asio::awaitable<std::vector<std::string>> Deployment::taken_back(rules::Revision from, rules::Revision to,
                                                                 std::size_t most) {
  std::vector<std::string> lines = images_between(notes_, from.text, to.text, most);
  co_return lines;
}

asio::awaitable<std::vector<EvidenceCommand>> Deployment::evidence() {
  std::vector<EvidenceCommand> out;
  const std::string& selector = look_.deployment.selector;
  if (selector.empty()) co_return out;
  out.push_back(cluster_->listing(KubernetesListing::pods, selector, "kubernetes-pods.txt"));
  out.push_back(cluster_->listing(KubernetesListing::replica_sets, selector, "kubernetes-replicasets.txt"));
  out.push_back(cluster_->listing(KubernetesListing::events, selector, "kubernetes-events.txt"));
  std::size_t count = 0;
  for (const KubernetesPod& pod : look_.pods) {
    if (count == pods_max) break;
    ++count;
    for (EvidenceCommand& one : cluster_->logs(pod, KubernetesLogs::now)) out.push_back(std::move(one));
    const bool has_ended = std::any_of(pod.containers.begin(), pod.containers.end(),
                                       [](const KubernetesContainer& one) { return one.restarts > 0; });
    if (!has_ended) continue;
    for (EvidenceCommand& one : cluster_->logs(pod, KubernetesLogs::before)) out.push_back(std::move(one));
  }
  co_return out;
}

asio::awaitable<std::vector<std::string>> Deployment::advice() {
  std::vector<std::string> out;
  const KubernetesLook look = co_await cluster_->look();
  for (const std::string& manager : look.deployment.managers)
    out.push_back(cluster_->name() + ": " + manager + "; a rollback holds until then");
  const auto& images = look.deployment.pods.images;
  const auto unpinned = std::find_if(images.begin(), images.end(), [](const std::string& image) {
    return image.find("@sha256:") == std::string::npos && (image.ends_with(":latest") || image.find(':') == image.npos);
  });
  if (unpinned != images.end())
    out.push_back(*unpinned +
                  " may be another image tomorrow, and then nobody can go back to this one; give it a tag of " +
                  "its own, or a digest");
  co_return out;
}

asio::awaitable<rules::StepResult> Deployment::switch_to(SwitchRequest request) {
  // When it is called off in the middle, people are still told what goes on without us.
  co_await asio::this_coro::throw_if_cancelled(false);
  if (request.limit <= rules::Duration::zero()) request.limit = switch_limit_;
  notes_.from = request.from.text;
  notes_.to = request.to.text;
  if (const auto fault = file_.write(notes_)) {
    rules::StepResult result;
    result.nothing_begun = true;
    result.detail = "note what is done: " + *fault;
    co_return result;
  }
  const std::unique_ptr<KubernetesCluster> cluster = cluster_->in_switch(request.started);
  KubernetesSwitch work(*cluster, clock_, std::move(request));
  switching_ = true;
  rules::StepResult result = co_await work.run();
  switching_ = false;
  looked_at_ = rules::Instant();
  notes_.aftermath = work.aftermath();
  notes_.from.clear();
  notes_.to.clear();
  file_.write(notes_);
  co_return result;
}

std::string Deployment::aftermath() const {
  std::string text;
  for (const std::string& line : notes_.aftermath) text += line + "\n";
  return text;
}

}  // namespace

std::unique_ptr<Driver> make_kubernetes_driver(const rules::ServiceName& service, const KubernetesDriver& config,
                                               rules::Duration switch_limit, const std::string& state_dir,
                                               const probes::Clock& clock) {
  return std::make_unique<Deployment>(service, config, switch_limit, state_dir, clock);
}

}  // namespace watcher
