#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "probes/net/http_client.hpp"
#include "probes/parse/expect.hpp"
#include "rules/base/fault.hpp"

namespace probes {

// What is wrong with the outcome of a request, in the light of what was expected (SPEC 2.3): nothing, evidence that it
// does not serve, or a fault of the measuring path. `attempt` tells, where it is needed, what was attempted, such as
// "GET http://127.0.0.1:3001/health"; `room` as in check().
std::optional<rules::Fault> judge(const Expected& expected, const std::variant<HttpReply, rules::Fault>& outcome,
                                  const std::function<std::string()>& attempt, std::size_t room = json_room_any);

}  // namespace probes
