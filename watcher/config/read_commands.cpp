#include <algorithm>
#include <filesystem>

#include "watcher/config/table_reader.hpp"

namespace watcher {

namespace {

constexpr std::size_t commands_max = 20;  // of one key: more than that is a script

bool is_array(const toml::node& node) { return node.is_array(); }

}  // namespace

std::optional<std::vector<std::string>> TableReader::argv_of(const toml::node& node, const std::string& owner,
                                                             const std::string& dir) {
  const auto refuse = [&](const std::string& what) { loading_.findings.error(place_of(node), owner + ": " + what); };
  if (node.is_string()) {
    refuse("expected an array, one element an argument, such as [\"./rollback.sh\", \"{to}\"]; there is no shell");
    return std::nullopt;
  }
  std::optional<std::vector<std::string>> words = strings_of(node, owner);
  if (!words) return std::nullopt;
  if (words->empty() || words->front().empty()) {
    refuse("expected a command and its arguments, found none");
    return std::nullopt;
  }
  std::string& program = words->front();
  const bool relative = program.find('/') != std::string::npos && program.front() != '/';
  if (relative)
    program = (std::filesystem::path(dir.empty() ? loading_.dir : dir) / program).lexically_normal().string();
  loading_.commands.push_back({*words, dir.empty() ? loading_.dir : dir, place_of(node), owner});
  return words;
}

std::optional<std::vector<std::string>> TableReader::argv(std::string_view key, const std::string& dir) {
  const toml::node* const found = node(key);
  return found == nullptr ? std::nullopt : argv_of(*found, owner(key), dir);
}

std::optional<std::vector<std::vector<std::string>>> TableReader::commands(std::string_view key,
                                                                           const std::string& dir) {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  std::vector<std::vector<std::string>> out;
  const toml::array* const array = found->as_array();
  if (array == nullptr || std::none_of(array->begin(), array->end(), is_array)) {
    std::optional<std::vector<std::string>> one = argv_of(*found, owner(key), dir);
    if (!one) return std::nullopt;
    out.push_back(*std::move(one));
    return out;
  }
  if (!std::all_of(array->begin(), array->end(), is_array)) {
    error(key,
          "has arguments beside commands; write one command as [\"npm\", \"ci\"], several as [[\"npm\", \"ci\"], "
          "[\"npm\", \"run\", \"build\"]]");
    return std::nullopt;
  }
  if (array->size() > commands_max) {
    error(key, "has more than " + std::to_string(commands_max) + " commands; put them into a script");
    return std::nullopt;
  }
  bool whole = true;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const std::string name = array->size() == 1 ? owner(key) : numbered(owner(key), i);
    std::optional<std::vector<std::string>> one = argv_of((*array)[i], name, dir);
    whole = whole && one.has_value();
    if (one) out.push_back(*std::move(one));
  }
  return whole ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace watcher
