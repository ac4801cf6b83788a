#include "watcher/drivers/trusted_child.hpp"

#include <optional>
#include <string>
#include <utility>

#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

probes::asio::awaitable<probes::ChildResult> run_trusted(probes::ChildSpec spec) {
  std::optional<std::string> unsafe = run_changed_by_others(spec.argv, spec.dir, spec.user);
  if (unsafe) {
    probes::ChildResult refused;
    refused.error = "other users could change what it runs: " + *unsafe;
    co_return refused;
  }
  co_return co_await probes::run_child(std::move(spec));
}

}  // namespace watcher
