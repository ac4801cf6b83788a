#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "watcher/notify/curl_library.hpp"

namespace watcher {

// How long a mail server is waited for.

// A server that has all of a mail may look at it for long before it says yes, and has it whatever becomes of the
// answer: asked again it would have it twice (RFC 5321, 4.5.3.2.6 and 6.1).
inline constexpr long mail_taken_limit_ms = 5 * 60 * 1000;

// What libcurl has yet to read of a mail.
struct Unread {
  std::string_view rest;
};

// Gives libcurl the next part of it.
std::size_t give_mail(char* to, std::size_t size, std::size_t many, void* unread);

// What a mail is given up by: not by what its server takes once it has the whole of it, unless we are about to end.
struct Patience {
  CURL* handle;
  const Unread& body;
  curl_off_t limit;  // microseconds
  const std::atomic<bool>* is_hurried;
};

// Has libcurl heed it; it must outlive the transfer.
void be_patient(CURL* handle, const Patience& patience);

}  // namespace watcher
