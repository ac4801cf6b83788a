#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "watcher/config/config.hpp"
#include "watcher/serve/api.hpp"
#include "watcher/serve/target.hpp"

namespace watcher {

// Why a request may not be answered, as the reply to give; nothing when it may.
// Over the control socket everything is allowed. Over TCP, what changes something needs the token and a Host header
// that no other web site can bring a browser to send; over an address that is not loopback all but metrics and health
// does.
std::optional<ApiReply> refused(const WatcherSection& watcher, const ApiRequest& request, const Target& target);

// Whether a Host header names an IP address, localhost, or the host that is listened on.
bool is_own_host(std::string_view host, std::string_view listen);

// Takes the same time however much of the token is right.
bool is_token(std::string_view authorization, std::string_view token);

}  // namespace watcher
