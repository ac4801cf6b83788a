#pragma once

#include <optional>

#include "rules/base/time.hpp"
#include "watcher/drivers/http_requests.hpp"

namespace watcher {

// After how long a server that was asked too often says that it may be asked again, as RFC 9110, GitHub and GitLab have
// it: never less than zero. None: it does not say, or something else is wrong.
std::optional<rules::Duration> asked_again_after(const HttpAnswer& answer, rules::Instant now);

}  // namespace watcher
