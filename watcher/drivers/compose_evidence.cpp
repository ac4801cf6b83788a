#include "watcher/drivers/compose_evidence.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "watcher/steps/evidence.hpp"

namespace watcher {

namespace {

constexpr std::size_t containers_max = 8;  // whose logs are kept: a service has one, or a few replicas
constexpr const char* log_lines = "2000";
constexpr const char* state_format =
    "{{.Name}} image={{.Config.Image}} {{.Image}} status={{.State.Status}} exit_code={{.State.ExitCode}} "
    "oom_killed={{.State.OOMKilled}} restarts={{.RestartCount}} started={{.State.StartedAt}} "
    "finished={{.State.FinishedAt}} error={{json .State.Error}}"
    "{{with .State.Health}} health={{.Status}} failing={{.FailingStreak}}{{range .Log}}\n  {{.ExitCode}} "
    "{{json .Output}}{{end}}{{end}}";

}  // namespace

std::vector<EvidenceCommand> compose_evidence(const ComposeRunner& runner, const ComposeLook& look) {
  std::vector<EvidenceCommand> out;
  if (look.containers.empty()) return out;
  const auto keep = [&](std::string file, std::vector<std::string> arguments) {
    out.push_back({std::move(file), runner.question(std::move(arguments), evidence_limit)});
  };
  keep("compose-ps.txt", {"ps", "--all", "--filter", "label=com.docker.compose.project=" + look.project});
  std::vector<std::string> inspect{"inspect", "--type", "container", "--format", state_format};
  std::transform(look.containers.begin(), look.containers.end(), std::back_inserter(inspect),
                 [](const ComposeContainer& container) { return container.id; });
  keep("compose-state.txt", std::move(inspect));
  for (std::size_t i = 0; i < std::min(look.containers.size(), containers_max); ++i) {
    const ComposeContainer& container = look.containers[i];
    const std::string named = "compose-logs-" + container.name + ".txt";
    keep(is_evidence_name(named) ? named : "compose-logs-" + container.id.substr(0, 12) + ".txt",
         {"logs", "--timestamps", "--tail", log_lines, container.id});
  }
  return out;
}

}  // namespace watcher
