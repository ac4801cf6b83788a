#include "watcher/serve/target.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace watcher {

std::optional<Target> parse_target(std::string_view text) {
  const auto parsed = boost::urls::parse_origin_form(boost::core::string_view(text.data(), text.size()));
  if (parsed.has_error()) return std::nullopt;
  Target target;
  for (const std::string& segment : parsed->segments()) target.path.push_back(segment);
  for (const auto& param : parsed->params()) target.query[param.key] = param.value;
  return target;
}

bool Target::is(std::string_view pattern) const {
  std::size_t at = 0;
  for (const std::string& segment : path) {
    if (at >= pattern.size() || pattern[at] != '/') return false;
    const std::size_t begin = at + 1;
    at = std::min(pattern.find('/', begin), pattern.size());
    const std::string_view expected = pattern.substr(begin, at - begin);
    if (expected != "*" && expected != segment) return false;
  }
  return at == pattern.size();
}

}  // namespace watcher
