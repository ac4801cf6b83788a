#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rules/engine/events.hpp"
#include "watcher/config/config.hpp"
#include "watcher/serve/api.hpp"
#include "watcher/serve/target.hpp"

namespace watcher {

struct ReloadConfig {};
// What a rollback would do; nothing is done.
struct PlanRollback {
  rules::RollbackByHand rollback;
};

// What is said of one deployment.
struct MarkDeployment {
  std::vector<rules::DeployMark> marks;  // one a service
  std::string by;
};

// What a POST asks for.
using Deed = std::variant<rules::Request, MarkDeployment, ReloadConfig, PlanRollback>;

// Whether a POST to it would ask for something.
bool is_deed(const Target& target);

// Reads path and body of a POST. A problem (400, 404, 422) names everything that is wrong with the body.
std::variant<Deed, ApiReply> read_deed(const ApiRequest& request, const Target& target, const Config& config,
                                       rules::Instant now);

}  // namespace watcher
