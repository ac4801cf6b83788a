#include "watcher/config/known_libraries.hpp"

namespace watcher {

std::vector<KnownLibrary> known_libraries() {
  std::vector<KnownLibrary> out;
  for (const auto& part : {known_by_hand(), known_in_scripts(), known_compiled(), known_of_calls(), known_proxies()}) {
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

}  // namespace watcher
