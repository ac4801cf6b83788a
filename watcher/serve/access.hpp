#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/config/config.hpp"
#include "watcher/serve/api.hpp"
#include "watcher/serve/target.hpp"

namespace watcher {

// Why a request may not be answered, as the reply to give; nothing when it may.
// Over the control socket everything is allowed. Over TCP a request must name us in its Host header, which no other web
// site can bring a browser to do (DNS rebinding); only metrics and health of an address that is not loopback are for
// everybody. What changes something needs the token; where there is one, or the address is not loopback, all but
// metrics and health does.
std::optional<ApiReply> refused(const WatcherSection& watcher, const ApiRequest& request, const Target& target);

// Whether a Host header names an IP address, localhost, or one of these names. A name that leads to us but is not ours
// may be anybody's; an address is its own.
bool is_own_host(std::string_view host, const std::vector<std::string>& names);

// Takes the same time however much of the token is right.
bool is_token(std::string_view authorization, std::string_view token);

}  // namespace watcher
