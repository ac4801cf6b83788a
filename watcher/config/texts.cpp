#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "watcher/config/table_reader.hpp"
#include "watcher/config/toml_text.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr std::size_t secret_length_max = 64 * 1024;  // bytes; a token or a key is far smaller

// `{ file = ... }` or `{ env = ... }`, and nothing else in it.
bool is_reference(const toml::node& node) {
  const toml::table* const table = node.as_table();
  return table != nullptr && table->size() == 1 && (table->contains("file") || table->contains("env"));
}

// Who else knows what is in the file, or could put something else there.
std::optional<std::string> why_no_secret(const std::string& path) {
  if (auto unsafe = changed_by_others(path, "")) return "other users could change this secret: " + *unsafe;
  if (!read_by_all(path)) return std::nullopt;
  return "all users can read this secret; chmod o-r " + path + " (defaultMode: 0400 of a volume in Kubernetes)";
}

std::optional<Text> read_secret_file(Loading& loading, const toml::node& at, const std::string& name,
                                     const std::string& owner) {
  const std::string path = loading.absolute(name);
  // Reading a pipe would wait for whoever writes it.
  std::error_code failure;
  const bool regular = std::filesystem::is_regular_file(path, failure);
  std::ifstream file;
  if (regular) file.open(path, std::ios::binary);
  std::string content;
  if (file) {
    content.resize(secret_length_max + 1);
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad() || content.size() > secret_length_max) {
    loading.findings.error(
        place_of(at), owner + ": cannot read " + path + "; is it a file of at most 64 KiB that this user may read?");
    return std::nullopt;
  }
  if (const std::optional<std::string> unsafe = why_no_secret(path)) {
    loading.findings.error(place_of(at), owner + ": " + *unsafe);
    return std::nullopt;
  }
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.pop_back();
  if (refuse_nul(loading, at, content, owner)) return std::nullopt;
  return Text{std::move(content), true, "{ file = " + toml_string(path) + " }"};
}

std::optional<Text> read_environment(Loading& loading, const toml::node& at, const std::string& name,
                                     const std::string& owner) {
  const char* const value = std::getenv(name.c_str());
  if (value != nullptr) return Text{value, true, "{ env = " + toml_string(name) + " }"};
  loading.findings.error(place_of(at), owner + ": the environment variable " + name + " is not set");
  return std::nullopt;
}

std::optional<Text> read_reference(Loading& loading, const toml::table& table, const std::string& owner) {
  const bool from_file = table.contains("file");
  const toml::node& value = *table.get(from_file ? "file" : "env");
  const auto* const name = value.as_string();
  if (name == nullptr) {
    loading.findings.error(place_of(value), owner + ": expected a string, found " + std::string(type_name(value)));
    return std::nullopt;
  }
  std::optional<Text> out = from_file ? read_secret_file(loading, value, name->get(), owner)
                                      : read_environment(loading, value, name->get(), owner);
  if (out) loading.config.secrets.push_back(out->value);
  return out;
}

// Without `secret` references are taken as ordinary objects.
json::value json_value(Loading& loading, const toml::node& node, const std::string& owner, bool* secret) {
  if (secret != nullptr && is_reference(node)) {
    *secret = true;
    const std::optional<Text> text = read_reference(loading, *node.as_table(), owner);
    return text ? json::value(text->value) : json::value();
  }
  if (const toml::table* table = node.as_table()) {
    json::object out;
    for (const auto& [key, value] : *table) out[key.str()] = json_value(loading, value, owner, secret);
    return out;
  }
  if (const toml::array* array = node.as_array()) {
    json::array out;
    for (const toml::node& value : *array) out.push_back(json_value(loading, value, owner, secret));
    return out;
  }
  if (const auto* text = node.as_string()) return json::value(text->get());
  if (const auto* number = node.as_integer()) return json::value(number->get());
  if (const auto* number = node.as_floating_point()) return json::value(number->get());
  if (const auto* flag = node.as_boolean()) return json::value(flag->get());
  loading.findings.error(place_of(node), owner + ": JSON has no dates; write a string");
  return {};
}

}  // namespace

bool refuse_nul(Loading& loading, const toml::node& node, const std::string& text, const std::string& owner) {
  if (text.find('\0') == std::string::npos) return false;
  loading.findings.error(place_of(node), owner + ": has a byte 0 in it; leave it out");
  return true;
}

std::string json_text(Loading& loading, const toml::node& node, const std::string& owner) {
  return json::serialize(json_value(loading, node, owner, nullptr));
}

Text json_body(Loading& loading, const toml::table& body, const std::string& owner) {
  json::object out;
  bool secret = false;
  for (const auto& [key, value] : body) out[key.str()] = json_value(loading, value, owner, &secret);
  return {json::serialize(out), secret, "{ json = " + toml_inline(body) + " }"};
}

std::optional<Text> read_text(Loading& loading, const toml::node& node, const std::string& owner) {
  if (const auto* text = node.as_string()) {
    if (refuse_nul(loading, node, text->get(), owner)) return std::nullopt;
    return Text{text->get(), false, ""};
  }
  if (is_reference(node)) return read_reference(loading, *node.as_table(), owner);
  loading.findings.error(
      place_of(node),
      owner + ": expected a string, { file = \"PATH\" } or { env = \"NAME\" }, found " + std::string(type_name(node)));
  return std::nullopt;
}

}  // namespace watcher
