#include "watcher/drivers/kubernetes_runner.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "probes/net/descriptor.hpp"
#include "probes/parse/number.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/drivers/trusted_path.hpp"
#include "watcher/drivers/why_not.hpp"
#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

constexpr rules::Duration question_limit = std::chrono::seconds(4);  // two are asked for a look
constexpr rules::Duration patient_limit = std::chrono::seconds(20);
constexpr rules::Duration question_grace = std::chrono::seconds(1);
constexpr std::int64_t answer_max = 32 * 1024 * 1024;  // bytes; a pod is described by 10 to 30 KiB

// Never a pod's whole description: its environment may have secrets.
constexpr const char* pods_format =
    "{{range .items}}{{.metadata.name}} phase={{.status.phase}} node={{.spec.nodeName}} started={{.status.startTime}}"
    "{{range .status.conditions}}{{if ne .status \"True\"}} {{.type}}={{.status}}{{with .reason}} ({{.}}){{end}}{{end}}"
    "{{end}}{{\"\\n\"}}{{range .status.containerStatuses}}  {{.name}} image={{.image}} {{.imageID}} ready={{.ready}} "
    "restarts={{.restartCount}}{{with .state.waiting}} waiting={{.reason}}{{end}}{{with .state.terminated}} "
    "ended={{.reason}} exit_code={{.exitCode}}{{end}}{{with .lastState.terminated}} last_end={{.reason}} "
    "exit_code={{.exitCode}} at={{.finishedAt}}{{end}}{{\"\\n\"}}{{end}}{{end}}";
constexpr const char* sets_format =
    "custom-columns=NAME:.metadata.name,REVISION:.metadata.annotations.deployment\\.kubernetes\\.io/revision,"
    "WANTED:.spec.replicas,READY:.status.readyReplicas,MADE:.metadata.creationTimestamp,"
    "IMAGES:.spec.template.spec.containers[*].image";
constexpr const char* events_format =
    "custom-columns=LAST:.lastTimestamp,COUNT:.count,TYPE:.type,REASON:.reason,OBJECT:.involvedObject.name,"
    "MESSAGE:.message";

struct Advice {
  std::string_view said;  // by kubectl, in English
  std::string_view then;
};

// The first that fits counts.
constexpr std::array<Advice, 16> advices{{
    {"(NotFound)", "correct `deployment` or `namespace`"},
    {"(Forbidden)", "grant it: SECURITY.md has the Role"},
    {"Unauthorized", "give the kubeconfig credentials that hold"},
    {"must be logged in", "give the kubeconfig credentials that hold"},
    {"context was not found", "correct `context`"},
    {"no context exists", "correct `context`"},
    {"current-context", "say which: context = \"...\", kubeconfig = \"...\""},
    {"localhost:8080", "say which cluster: kubeconfig = \"...\""},
    {"no configuration has been provided", "say which cluster: kubeconfig = \"...\""},
    {"error loading config file", "correct the kubeconfig"},
    {"getting credentials: exec", "install what the kubeconfig names for its credentials where rollbackd finds it"},
    {"x509:", "give the kubeconfig the authority of the cluster's certificate, and the name that this is made out to"},
    {"no such host", "correct the server's name in the kubeconfig, or look whether it can be looked up from here"},
    {"was refused", "look whether the API server is up"},
    {"Unable to connect to the server", "look whether the API server can be reached from here"},
    {"unknown flag: --patch-file", "install kubectl 1.21 or newer"},
}};

// It has credentials, so that "chmod +r" would be no advice.
std::string why_no_kubeconfig(const KubernetesDriver& config) {
  const std::string subject = "kubeconfig " + config.kubeconfig + ": ";
  struct stat found {};
  if (::stat(config.kubeconfig.c_str(), &found) != 0)
    return subject + "no such file; do put it there, or correct kubeconfig";
  if (S_ISDIR(found.st_mode)) return subject + "it is a folder; do correct kubeconfig";
  // Another user's may be closed to us.
  if (config.user.empty() && ::faccessat(AT_FDCWD, config.kubeconfig.c_str(), R_OK, AT_EACCESS) != 0)
    return subject + "rollbackd may not read it; do give it to the user that rollbackd runs as, with mode 0600";
  return {};
}

// A file that no folder has, and that whoever is given it may read.
probes::Descriptor in_memory(const std::string& content) {
  probes::Descriptor file(::memfd_create("rollbackd-patch", MFD_CLOEXEC));
  const bool is_written = file.is_open() && write_all(file.number(), content);
  return is_written ? std::move(file) : probes::Descriptor();
}

bool ended_well(const probes::ChildResult& child) {
  return child.end == probes::ChildEnd::exited && child.exit_code == 0;
}

}  // namespace

KubernetesRunner::KubernetesRunner(const KubernetesDriver& config, const std::string& state_dir,
                                   probes::Started started)
    : KubernetesCluster(config),
      state_dir_(state_dir),
      cache_dir_(state_dir + "/kubernetes/cache"),
      started_(std::move(started)) {}

std::string KubernetesRunner::why_not_started() const {
  std::string refused = watcher::why_not_started({plain({}, question_limit).argv, config().dir, config().user});
  if (!refused.empty() || config().kubeconfig.empty()) return refused;
  refused = why_no_kubeconfig(config());
  if (!refused.empty()) return refused;
  // It may name a program that gives the credentials.
  if (const auto unsafe = changed_by_others(config().kubeconfig, config().user))
    return "other users could change the kubeconfig: " + *unsafe;
  return {};
}

probes::ChildSpec KubernetesRunner::plain(std::vector<std::string> words, rules::Duration limit) const {
  probes::ChildSpec spec;
  spec.argv = config().kubectl;
  if (spec.argv.empty()) spec.argv.emplace_back("kubectl");
  const auto option = [&spec](const char* name, const std::string& value) {
    if (!value.empty()) spec.argv.push_back(name + value);
  };
  option("--kubeconfig=", config().kubeconfig);
  option("--context=", config().context);
  option("--namespace=", config().name_space);
  // Without a folder of its own each question would ask the server first for all that it knows.
  option("--cache-dir=", config().user.empty() ? cache_dir_ : "");
  spec.argv.insert(spec.argv.end(), std::make_move_iterator(words.begin()), std::make_move_iterator(words.end()));
  spec.dir = config().dir;
  spec.user = config().user;
  spec.env = {{"LC_ALL", "C"}};
  // In a switch a question may take its time.
  spec.limit = started_ ? std::max(limit, patient_limit) : limit;
  spec.grace = question_grace;
  spec.stragglers = probes::Stragglers::kill;
  spec.output_max = answer_max;
  return spec;
}

std::string KubernetesRunner::advice_for(std::string_view said) const {
  for (const Advice& advice : advices) {
    if (said.find(advice.said) != said.npos) return "; do " + std::string(advice.then);
  }
  return {};
}

// What it asked stands at its beginning, without the options that are always the same.
KubernetesError KubernetesRunner::error_of(const probes::ChildSpec& spec, const probes::ChildResult& child) const {
  constexpr std::size_t words_shown = 4;
  std::string asked = "kubectl";
  std::size_t shown = 0;
  for (std::size_t i = std::max<std::size_t>(config().kubectl.size(), 1); i < spec.argv.size(); ++i) {
    if (spec.argv[i].starts_with("--") || shown++ >= words_shown) continue;
    asked += " " + spec.argv[i];
  }
  KubernetesError error = tool_error(std::move(asked), "the API server answers", spec, child);
  if (error.status == rules::StepStatus::failed) error.what += advice_for(last_words(child));
  return error;
}

asio::awaitable<KubernetesAnswer> KubernetesRunner::ask(std::vector<std::string> words) const {
  probes::ChildSpec spec = plain(std::move(words), question_limit);
  const probes::ChildSpec given = spec;
  probes::ChildResult child = co_await run_trusted(std::move(spec));
  if (!ended_well(child)) co_return error_of(given, child);
  if (child.output_dropped > 0) co_return KubernetesError{"kubectl printed more than can be read"};
  co_return std::move(child.output_stdout);
}

asio::awaitable<KubernetesAnswer> KubernetesRunner::deployment() const {
  std::vector<std::string> words{"get", "deployments.apps", config().deployment, "--output=json"};
  KubernetesAnswer answer = co_await ask(std::move(words));
  co_return std::move(answer);
}

// In one question: each kubectl is a tenth of a second of a core.
asio::awaitable<KubernetesLists> KubernetesRunner::owned(std::string selector) const {
  std::vector<std::string> words{"get", "replicasets.apps,pods", "--output=json", "--selector=" + selector};
  KubernetesAnswer answer = co_await ask(std::move(words));
  if (auto* const error = std::get_if<KubernetesError>(&answer)) co_return std::move(*error);
  std::vector<std::string> one;
  one.push_back(std::get<std::string>(std::move(answer)));
  co_return one;
}

asio::awaitable<std::string> KubernetesRunner::why_not_permitted() const {
  std::vector<std::string> words{"auth", "can-i", "patch", "deployments.apps/" + config().deployment};
  probes::ChildSpec spec = plain(std::move(words), question_limit);
  const probes::ChildSpec given = spec;
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  if (ended_well(child)) co_return std::string();
  const bool is_no = child.end == probes::ChildEnd::exited && probes::trimmed(child.output_stdout).starts_with("no");
  if (is_no)
    co_return "kubectl auth can-i patch deployments.apps/" + config().deployment +
        ": no; do grant it: SECURITY.md has the Role";
  co_return error_of(given, child).what;
}

// The template has values of environments in it, and a command line may be read by everybody.
asio::awaitable<KubernetesAnswer> KubernetesRunner::patch(std::string document) const {
  const probes::Descriptor file = in_memory(document);
  if (!file.is_open()) co_return KubernetesError{"hand the patch to kubectl: there is no memory for it"};
  std::vector<std::string> words{"patch",       "deployments.apps",        config().deployment,
                                 "--type=json", "--patch-file=/dev/stdin", "--output=name"};
  probes::ChildSpec spec = plain(std::move(words), patient_limit);
  spec.stdin_file = "/proc/self/fd/" + std::to_string(file.number());
  spec.started = started_;
  const probes::ChildSpec given = spec;
  probes::ChildResult child = co_await run_trusted(std::move(spec));
  if (!ended_well(child)) co_return error_of(given, child);
  co_return std::move(child.output_stdout);
}

std::unique_ptr<KubernetesCluster> KubernetesRunner::in_switch(probes::Started started) const {
  return std::make_unique<KubernetesRunner>(config(), state_dir_, std::move(started));
}

EvidenceCommand KubernetesRunner::listing(KubernetesListing what, const std::string& selector, std::string file) const {
  const std::string labels = "--selector=" + selector;
  std::vector<std::string> words;
  switch (what) {
    case KubernetesListing::pods:
      words = {"get", "pods", labels, std::string("--output=go-template=") + pods_format};
      break;
    case KubernetesListing::replica_sets:
      words = {"get", "replicasets.apps", labels, std::string("--output=") + sets_format};
      break;
    case KubernetesListing::events:
      words = {"get", "events", "--sort-by=.lastTimestamp", std::string("--output=") + events_format};
      break;
  }
  return {std::move(file), plain(std::move(words), evidence_limit)};
}

std::vector<EvidenceCommand> KubernetesRunner::logs(const KubernetesPod& pod, KubernetesLogs which) const {
  std::vector<std::string> words{"logs", pod.name, "--all-containers", "--timestamps",
                                 "--tail=" + std::to_string(kubernetes_log_lines)};
  const bool is_before = which == KubernetesLogs::before;
  if (is_before) words.emplace_back("--previous");
  std::vector<EvidenceCommand> out;
  out.push_back(
      {"kubernetes-logs-" + pod.name + (is_before ? "-before" : "") + ".txt", plain(std::move(words), evidence_limit)});
  return out;
}

}  // namespace watcher
