#include "watcher/serve/fields.hpp"

#include <algorithm>
#include <utility>

#include "rules/base/parse.hpp"

namespace watcher {

namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string joined(const std::vector<std::string>& parts, const char* separator) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : separator) + part;
  return out;
}

std::string service_names(const Config& config) {
  std::vector<std::string> names;
  for (const rules::ServiceSpec& service : config.core.services) names.push_back(service.name.text);
  return joined(names, ", ");
}

}  // namespace

Fields::Fields(boost::json::object body, std::initializer_list<std::string_view> known, const Config& config)
    : body_(std::move(body)), config_(config) {
  const std::vector<std::string> names(known.begin(), known.end());
  for (const auto& member : body_) {
    const std::string key(member.key());
    if (std::find(names.begin(), names.end(), key) != names.end()) continue;
    mistake("unknown key " + quoted(key) + (names.empty() ? ": the body is {}" : ": known are " + joined(names, ", ")));
  }
}

const boost::json::value* Fields::find(std::string_view key) const {
  const boost::json::value* value = body_.if_contains(boost::json::string_view(key.data(), key.size()));
  return value != nullptr && !value->is_null() ? value : nullptr;
}

std::string Fields::text(std::string_view key) {
  const boost::json::value* value = find(key);
  if (value == nullptr) return "";
  if (const auto* string = value->if_string()) return std::string(string->data(), string->size());
  mistake(quoted(key) + " must be a string");
  return "";
}

bool Fields::flag(std::string_view key) {
  const boost::json::value* value = find(key);
  if (value == nullptr) return false;
  if (const bool* flag = value->if_bool()) return *flag;
  mistake(quoted(key) + " must be true or false");
  return false;
}

std::optional<rules::Duration> Fields::duration(std::string_view key, rules::Duration most) {
  const std::string written = text(key);
  const auto parsed = rules::parse_duration(written);
  const auto* length = std::get_if<rules::Duration>(&parsed);
  if (length != nullptr && *length > rules::Duration::zero() && *length <= most) return *length;
  mistake(quoted(key) + " must be a duration such as 30m or 1h, at most " + rules::to_string(most));
  return std::nullopt;
}

std::optional<rules::Revision> Fields::revision(std::string_view key) {
  rules::Revision revision(text(key));
  if (revision.empty()) return std::nullopt;
  if (!rules::is_safe_in_argv(revision)) {
    mistake(quoted(key) + " must be a revision: a letter or digit, then letters, digits and ._:/@-, at most 200");
  }
  return revision;
}

void Fields::must_be_known(const rules::ServiceName& name) {
  const auto& services = config_.core.services;
  const bool known = std::any_of(services.begin(), services.end(), [&](const auto& s) { return s.name == name; });
  if (!known) mistake("no service " + quoted(name.text) + ": there is " + service_names(config_));
}

std::optional<rules::ServiceName> Fields::service() {
  rules::ServiceName name(text("service"));
  if (name.empty()) return std::nullopt;
  must_be_known(name);
  return name;
}

std::vector<rules::ServiceName> Fields::services() {
  std::vector<rules::ServiceName> out;
  if (const auto named = service()) out.push_back(*named);
  const boost::json::value* const list = find("services");
  if (list != nullptr && !list->is_array()) mistake("\"services\" must be a list of names");
  if (list != nullptr && list->is_array()) {
    for (const boost::json::value& each : list->get_array()) {
      const auto* const name = each.if_string();
      rules::ServiceName one(name == nullptr ? std::string() : std::string(name->data(), name->size()));
      must_be_known(one);
      if (std::find(out.begin(), out.end(), one) == out.end()) out.push_back(std::move(one));
    }
  }
  if (!out.empty()) return out;
  for (const rules::ServiceSpec& one : config_.core.services) out.push_back(one.name);
  return out;
}

rules::ServiceName Fields::one_service() {
  if (const auto named = service()) return *named;
  if (config_.core.services.size() == 1) return config_.core.services.front().name;
  mistake("\"service\" is missing: one of " + service_names(config_));
  return rules::ServiceName();
}

std::optional<rules::ActionName> Fields::action() {
  rules::ActionName name(text("action"));
  if (name.empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const rules::ActionSpec& action : config_.core.actions) names.push_back(action.name.text);
  const bool known = std::find(names.begin(), names.end(), name.text) != names.end();
  if (!known) mistake("no action " + quoted(name.text) + ": there is " + joined(names, ", "));
  return name;
}

std::string Fields::mistakes() const { return joined(mistakes_, "; "); }

}  // namespace watcher
