#include "watcher/cli/status_fields.hpp"

namespace watcher {

namespace json = boost::json;

const json::object& object_at(const json::value& value, std::string_view key) {
  static const json::object empty;
  if (!value.is_object()) return empty;
  const json::value* const found = value.get_object().if_contains(key);
  return found != nullptr && found->is_object() ? found->get_object() : empty;
}

double number_at(const json::value& object, std::string_view key, double otherwise) {
  if (!object.is_object()) return otherwise;
  const json::value* const found = object.get_object().if_contains(key);
  if (found == nullptr || !found->is_number()) return otherwise;
  return found->to_number<double>();
}

bool flag_at(const json::value& object, std::string_view key) {
  if (!object.is_object()) return false;
  const json::value* const found = object.get_object().if_contains(key);
  return found != nullptr && found->is_bool() && found->get_bool();
}

const json::array& array_at(const json::value& object, std::string_view key) {
  static const json::array none;
  const json::value* const found = object.is_object() ? object.get_object().if_contains(key) : nullptr;
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

std::string progress_text(const json::value& object) {
  const json::object& progress = object_at(object, "progress");
  const json::value* const text = progress.if_contains("text");
  return text != nullptr && text->is_string() ? std::string(text->get_string()) : std::string();
}

std::vector<std::string> texts_at(const json::value& object, std::string_view key) {
  std::vector<std::string> out;
  for (const json::value& one : array_at(object, key)) {
    if (one.is_string()) out.emplace_back(one.get_string());
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace watcher
