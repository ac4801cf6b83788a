#include "watcher/config/permissions.hpp"

#include <map>
#include <optional>
#include <string_view>

#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

namespace {

// `rollback` is the short word for `switch`.
std::string long_word(const std::string& owner) {
  constexpr std::string_view short_word = ".rollback";
  if (!owner.starts_with("service.") || !owner.ends_with(short_word)) return owner;
  return owner.substr(0, owner.size() - short_word.size()) + ".switch";
}

}  // namespace

void check_permissions(Loading& loading, const std::string& config_path) {
  if (const auto unsafe = changed_by_others(config_path, "")) {
    loading.findings.error({}, "other users could change this configuration: " + *unsafe);
  }
  std::map<std::string, std::string> users;
  for (const NamedCommand& command : commands_of(loading.config)) {
    users[command.owner] = runs_as(command.whom.dir, command.whom.user).user;
  }
  for (const PlacedCommand& command : loading.commands) {
    const auto known = users.find(long_word(command.owner));
    const std::string user = known == users.end() ? "" : known->second;
    if (const auto unsafe = run_changed_by_others(command.argv, command.dir, user)) {
      loading.findings.error(command.place, command.owner + ": other users could change this command: " + *unsafe);
    }
  }
}

}  // namespace watcher
