#include "watcher/notify/curl_library.hpp"

#include <dlfcn.h>

namespace watcher {

namespace {

constexpr const char* file = "libcurl.so.4";

// True: `function` is what the library has under that name.
template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

CurlLibrary load() {
  CurlLibrary curl;
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);  // never closed: its threads and handlers stay
  decltype(&::curl_global_init) init = nullptr;
  const bool found =
      library != nullptr && find(library, "curl_global_init", init) && find(library, "curl_easy_init", curl.init) &&
      find(library, "curl_easy_cleanup", curl.cleanup) && find(library, "curl_easy_setopt", curl.set) &&
      find(library, "curl_easy_getinfo", curl.get) && find(library, "curl_easy_perform", curl.perform) &&
      find(library, "curl_easy_strerror", curl.text_of) && find(library, "curl_slist_append", curl.append) &&
      find(library, "curl_slist_free_all", curl.free_all);
  if (!found) {
    const char* why = dlerror();
    curl.problem = std::string("load ") + file + ": " + (why != nullptr ? why : "a function is missing") +
                   "; notifications are sent with it, install libcurl4";
  } else if (init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    curl.problem = std::string("initialize ") + file + ": it failed; reinstall libcurl4";
  }
  return curl;
}

}  // namespace

const CurlLibrary& curl_library() {
  static const CurlLibrary library = load();
  return library;
}

}  // namespace watcher
