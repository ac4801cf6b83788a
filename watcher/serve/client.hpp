#pragma once

#include <string>
#include <variant>

#include "rules/base/time.hpp"
#include "watcher/serve/api.hpp"

namespace watcher {

// How long an answer is waited for: longer than a reload of the largest configuration or a commit on a slow disk takes.
inline constexpr rules::Duration call_limit = std::chrono::seconds(60);

// Asks the running watcher over its control socket and blocks until it has answered. Needs `method`, `target` and
// `body` of the request; the rest is the server's to fill in. Replies with problem+json are replies. Where others take
// every place it tries again for some seconds: what it was turned away with, and a GET that got no answer.
// A text for people when no watcher answers (exit code 3): what was attempted, what happened, what to do.
std::variant<ApiReply, std::string> call(const std::string& socket_path, const ApiRequest& request,
                                         rules::Duration limit = call_limit);

// The `detail` of a problem+json body; the body itself when it is none.
std::string problem_detail(const ApiReply& reply);

}  // namespace watcher
