#include "watcher/drivers/shell_variables.hpp"

#include <re2/re2.h>

#include <map>
#include <optional>

namespace watcher {

namespace {

// By name; none: it is not known which value it has.
using Variables = std::map<std::string, std::optional<std::string>>;

Variables variables_in(std::string_view script) {
  static const re2::RE2 assignment(
      R"re((?:^|[\s;&|({])([A-Za-z_]\w*)=(?:"([^"$`\\]*)"|'([^']*)'|([^\s;&|()"'$`\\]*))([^\s;&|)]?))re");
  static const re2::RE2 otherwise(R"(\b(?:for|read(?:\s+-\S+)*|select|unset)\s+([A-Za-z_]\w*))");
  Variables out;
  std::string name, doubly, singly, bare, behind;
  re2::StringPiece rest(script.data(), script.size());
  while (re2::RE2::FindAndConsume(&rest, assignment, &name, &doubly, &singly, &bare, &behind)) {
    const std::string value = doubly + singly + bare;
    const bool is_plain = behind.empty() && !value.empty() && value.find_first_of(" \t\n") == value.npos;
    const auto [at, is_first] = out.try_emplace(name, value);
    if (!is_first || !is_plain) at->second.reset();
  }
  rest = re2::StringPiece(script.data(), script.size());
  while (re2::RE2::FindAndConsume(&rest, otherwise, &name)) out[name].reset();
  return out;
}

}  // namespace

std::string with_variables(std::string_view script) {
  static const re2::RE2 use(R"(\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*)))");
  const Variables variables = variables_in(script);
  std::string out;
  std::string braced, bare;
  re2::StringPiece rest(script.data(), script.size());
  const char* before = rest.data();
  while (re2::RE2::FindAndConsume(&rest, use, &braced, &bare)) {
    const std::string whole = braced.empty() ? "$" + bare : "${" + braced + "}";
    out.append(before, static_cast<std::size_t>(rest.data() - before) - whole.size());
    const auto known = variables.find(braced + bare);
    out += known != variables.end() && known->second ? *known->second : whole;
    before = rest.data();
  }
  return out.append(rest.data(), rest.size());
}

}  // namespace watcher
