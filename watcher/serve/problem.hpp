#pragma once

#include <string>

#include "watcher/serve/api.hpp"

namespace watcher {

// An application/problem+json reply (RFC 9457): `detail` says what is wrong and what to do.
ApiReply problem(unsigned status, const std::string& detail);

}  // namespace watcher
