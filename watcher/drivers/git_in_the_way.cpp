#include "watcher/drivers/git_in_the_way.hpp"

#include <algorithm>
#include <iterator>
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
  // ":160000 000000 ID ID D", then the name. The first is the kind there, the second the one here; A: it is not there.
  constexpr std::size_t kind_size = 8;  // of ":160000 "
  for (std::size_t at = 0; at + 1 < words.size(); at += 2) {
    const std::string& word = words[at];
    const bool is_link_here = word.substr(std::min(kind_size, word.size())).starts_with("160000 ");
    const bool is_link_there = word.starts_with(":160000 ");
    if (is_link_here && !is_link_there) coming.leaving.push_back(words[at + 1]);
    if (word.ends_with('A') || (word.ends_with('T') && !is_link_here)) continue;
    (is_link_there ? coming.submodules : coming.files).push_back(words[at + 1]);
  }
  return coming;
}

std::vector<std::string> submodules_giving_way(const GitComing& coming) {
  const auto gives_way = [&coming](const std::string& submodule) {
    return std::any_of(coming.files.begin(), coming.files.end(), [&submodule](const std::string& file) {
      return file == submodule || file.starts_with(submodule + "/");
    });
  };
  std::vector<std::string> out;
  std::copy_if(coming.leaving.begin(), coming.leaving.end(), std::back_inserter(out), gives_way);
  return out;
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
