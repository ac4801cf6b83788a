#pragma once

#include <curl/curl.h>

#include <optional>
#include <string>

namespace watcher {

// libcurl's functions, loaded when somebody is to be notified: it brings thirty libraries and 5 MB along, which a
// watcher that notifies nobody does without.
struct CurlLibrary {
  decltype(&::curl_easy_init) init = nullptr;
  decltype(&::curl_easy_cleanup) cleanup = nullptr;
  decltype(&::curl_easy_setopt) set = nullptr;
  decltype(&::curl_easy_getinfo) get = nullptr;
  decltype(&::curl_easy_perform) perform = nullptr;
  decltype(&::curl_easy_strerror) text_of = nullptr;
  decltype(&::curl_slist_append) append = nullptr;
  decltype(&::curl_slist_free_all) free_all = nullptr;
  // Why it could not be loaded and what to do; none: it was.
  std::optional<std::string> problem;
};

// Loads it at the first call; safe to call from any thread.
const CurlLibrary& curl_library();

}  // namespace watcher
