#include "watcher/drivers/git_in_the_way.hpp"

#include <algorithm>
#include <utility>

namespace watcher {

std::vector<std::string> names_in(std::string_view listing) {
  std::vector<std::string> names;
  while (!listing.empty()) {
    const std::size_t end = std::min(listing.find('\0'), listing.size());
    names.emplace_back(listing.substr(0, end));
    listing.remove_prefix(std::min(end + 1, listing.size()));
  }
  return names;
}

GitComing coming_in(std::string_view raw_listing) {
  const std::vector<std::string> words = names_in(raw_listing);
  GitComing coming;
  // ":160000 000000 ID ID D", then the name.
  for (std::size_t at = 0; at + 1 < words.size(); at += 2) {
    auto& kind = words[at].starts_with(":160000 ") ? coming.submodules : coming.files;
    kind.push_back(words[at + 1]);
  }
  return coming;
}

std::vector<std::string> files_in_the_way(GitComing arriving, const std::vector<std::string>& others) {
  std::vector<std::string> coming = std::move(arriving.files);
  coming.insert(coming.end(), arriving.submodules.begin(), arriving.submodules.end());
  std::sort(coming.begin(), coming.end());
  std::sort(arriving.submodules.begin(), arriving.submodules.end());
  const auto is_the_submodule = [&arriving](const std::string& name) {
    return name.ends_with('/') &&
           std::binary_search(arriving.submodules.begin(), arriving.submodules.end(), name.substr(0, name.size() - 1));
  };
  const auto is_coming = [&coming](const std::string& name) {
    return std::binary_search(coming.begin(), coming.end(), name);
  };
  const auto is_or_lies_in_one = [&is_coming](const std::string& name) {
    for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
      if (is_coming(name.substr(0, slash))) return true;
    }
    return is_coming(name);
  };
  const auto will_be_folder = [&coming](const std::string& name) {
    const std::string folder = name.ends_with('/') ? name : name + "/";
    const auto inside = std::lower_bound(coming.begin(), coming.end(), folder);
    return inside != coming.end() && inside->starts_with(folder);
  };
  std::vector<std::string> out;
  for (const std::string& name : others) {
    if (is_the_submodule(name)) continue;
    if (is_or_lies_in_one(name) || will_be_folder(name)) out.push_back(name);
  }
  return out;
}

}  // namespace watcher
