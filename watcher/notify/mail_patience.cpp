#include "watcher/notify/mail_patience.hpp"

#include <algorithm>

namespace watcher {

namespace {

constexpr long goodbye_limit_s = 1;

int gives_up(void* patience, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& given = *static_cast<const Patience*>(patience);
  const bool is_hurried = given.is_hurried != nullptr && *given.is_hurried;
  curl_off_t taken = 0;
  curl_library().get(given.handle, CURLINFO_TOTAL_TIME_T, &taken);
  const bool ends = (!given.body.rest.empty() || is_hurried) && taken > given.limit;
  // Its goodbye is waited for as an answer is.
  if (ends) curl_library().set(given.handle, CURLOPT_SERVER_RESPONSE_TIMEOUT, goodbye_limit_s);
  return ends ? 1 : 0;
}

}  // namespace

std::size_t give_mail(char* to, std::size_t size, std::size_t many, void* unread) {
  std::string_view& rest = static_cast<Unread*>(unread)->rest;
  const std::size_t length = std::min(size * many, rest.size());
  std::copy_n(rest.data(), length, to);
  rest.remove_prefix(length);
  return length;
}

void be_patient(CURL* handle, const Patience& patience) {
  const auto set = curl_library().set;
  set(handle, CURLOPT_SERVER_RESPONSE_TIMEOUT, mail_taken_limit_ms / 1000);
  // What is kept for another mail would say its goodbye with libcurl's own limit, two minutes.
  set(handle, CURLOPT_FORBID_REUSE, 1L);
  set(handle, CURLOPT_NOPROGRESS, 0L);
  set(handle, CURLOPT_XFERINFOFUNCTION, &gives_up);
  set(handle, CURLOPT_XFERINFODATA, &patience);
}

}  // namespace watcher
