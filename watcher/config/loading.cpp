#include "watcher/config/loading.hpp"

#include <filesystem>

namespace watcher {

void Loading::keep_secrets(std::vector<std::string> parts, const std::string& owner) {
  if (parts.empty()) return;
  config.literal_secrets.push_back(owner);
  for (std::string& part : parts) config.secrets.push_back(std::move(part));
}

std::size_t Written::original_offset(std::size_t offset) const {
  std::size_t original = offset;
  for (const auto& [here, there] : shifts) {
    if (here > offset) break;
    original = there + (offset - here);
  }
  return original;
}

Place Loading::place_of(const Written& written, std::size_t offset) const {
  return source.inside_string(written.begin, written.original_offset(offset));
}

std::string Loading::absolute(std::string_view path) const {
  const std::filesystem::path given(path);
  const std::filesystem::path whole = given.is_absolute() ? given : std::filesystem::path(dir) / given;
  std::string out = whole.lexically_normal().string();
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

rules::Condition Loading::condition(const Written& written, const std::string& owner) {
  rules::Parsed<rules::Condition> parsed = rules::parse_condition(written.text);
  if (const auto* mistake = std::get_if<rules::SyntaxError>(&parsed)) {
    findings.error(place_of(written, mistake->offset), owner + ": " + mistake->what);
    return {};
  }
  rules::Condition condition = std::get<rules::Condition>(std::move(parsed));
  conditions.push_back({condition, written, owner});
  return condition;
}

}  // namespace watcher
