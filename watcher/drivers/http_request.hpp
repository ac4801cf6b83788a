#pragma once

#include "probes/net/http_client.hpp"
#include "rules/incidents/plan.hpp"

namespace watcher {

// The request as the configuration wrote it, which may take at most `limit`.
probes::HttpRequest request_of(const rules::HttpStep& step, rules::Duration limit);

}  // namespace watcher
