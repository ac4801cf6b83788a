#include "watcher/drivers/trusted_child.hpp"

#include <utility>

#include "watcher/drivers/step_scope.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

std::optional<std::string> make_trusted(probes::ChildSpec& spec) {
  const bool is_looked_up = !spec.argv.empty() && spec.argv.front().find('/') == std::string::npos;
  std::optional<std::string> found = is_looked_up ? find_command(spec.argv.front()) : std::nullopt;
  // What is looked at is what is started, whatever comes to stand before it in PATH meanwhile.
  if (found && found->starts_with('/')) spec.argv.front() = std::move(*found);
  std::vector<std::string> env;
  for (const auto& [name, value] : spec.env) env.push_back(name + "=" + value);
  std::optional<std::string> unsafe = run_changed_by_others(spec.argv, spec.dir, spec.user, env);
  if (unsafe) unsafe->insert(0, "other users could change what it runs: ");
  return unsafe;
}

probes::asio::awaitable<probes::ChildResult> run_trusted(probes::ChildSpec spec) {
  std::optional<std::string> unsafe = make_trusted(spec);
  if (unsafe) {
    probes::ChildResult refused;
    refused.error = std::move(*unsafe);
    co_return refused;
  }
  // To begin it and end it at once would leave it half done.
  if (spec.limit <= rules::Duration::zero()) {
    probes::ChildResult refused;
    refused.error = "was not begun: what came before it took all of the time that there was";
    co_return refused;
  }
  // What may change something outlives us; nobody needs more of what only looks.
  if (spec.started) spec.place = scope_of_its_own(spec.argv);
  co_return co_await probes::run_child(std::move(spec));
}

}  // namespace watcher
