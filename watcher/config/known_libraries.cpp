#include "watcher/config/known_libraries.hpp"

#include <cstddef>

namespace watcher {

std::vector<KnownLibrary> known_libraries() {
  std::vector<KnownLibrary> out;
  for (const auto& part : {known_by_hand(), known_in_scripts(), known_compiled(), known_of_calls(), known_proxies()}) {
    out.insert(out.end(), part.begin(), part.end());
  }
  // A proxy answers for others, too, and not for what the application does: where its page or one that is merged with
  // it has the application's own, under a prefix of its own even, that is taken, however busy the proxy is.
  constexpr int behind_applications = 3;
  for (auto proxy = out.end() - static_cast<std::ptrdiff_t>(known_proxies().size()); proxy != out.end(); ++proxy) {
    proxy->counts_rank += behind_applications;
    proxy->times_rank += behind_applications;
  }
  return out;
}

}  // namespace watcher
