#include "watcher/drivers/compose_records.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <system_error>
#include <utility>

#include "watcher/drivers/notes_file.hpp"
#include "watcher/journal/files.hpp"

namespace watcher {

namespace json = boost::json;

namespace {

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::vector<std::string> texts_at(const json::object& object, std::string_view name) {
  std::vector<std::string> out;
  const json::value* const value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return out;
  for (const json::value& one : value->get_array()) {
    if (one.is_string()) out.emplace_back(one.get_string());
  }
  return out;
}

// What a file has may be no UTF-8, and JSON has nothing else.
std::string hex_of(const std::string& bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
  return out;
}

std::optional<std::string> bytes_of(const std::string& hex) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const std::size_t high = digits.find(hex[i]);
    const std::size_t low = digits.find(hex[i + 1]);
    if (high == digits.npos || low == digits.npos) return std::nullopt;
    out += static_cast<char>(high << 4U | low);
  }
  return out;
}

json::object to_object(const ComposeRecord& record) {
  json::object images;
  for (const auto& [service, image] : record.images) {
    json::array digests;
    for (const std::string& digest : image.digests) digests.emplace_back(digest);
    json::object one{{"image", image.image}, {"name", image.name}, {"tag", image.tag}, {"settings", image.settings}};
    one["digests"] = std::move(digests);
    images[service] = std::move(one);
  }
  json::object kept;
  for (const auto& [name, content] : record.kept) kept[name] = hex_of(content);
  json::object out{{"revision", record.revision.text},
                   {"last_seen", record.last_seen},
                   {"configuration", hex_of(record.configuration)}};
  out["images"] = std::move(images);
  out["kept"] = std::move(kept);
  return out;
}

std::optional<ComposeRecord> record_from(const json::value& value) {
  if (!value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  ComposeRecord record;
  record.revision = rules::Revision(text_at(object, "revision"));
  const json::value* const seen = object.if_contains("last_seen");
  if (seen != nullptr && seen->is_int64()) record.last_seen = seen->get_int64();
  const json::value* const images = object.if_contains("images");
  const json::value* const kept = object.if_contains("kept");
  if (record.revision.empty() || images == nullptr || !images->is_object() || kept == nullptr || !kept->is_object())
    return std::nullopt;
  for (const auto& one : images->get_object()) {
    if (!one.value().is_object()) return std::nullopt;
    const json::object& image = one.value().get_object();
    record.images[std::string(one.key())] = {text_at(image, "image"), text_at(image, "name"),
                                             texts_at(image, "digests"), text_at(image, "tag"),
                                             text_at(image, "settings")};
  }
  std::optional<std::string> configuration = bytes_of(text_at(object, "configuration"));
  if (!configuration) return std::nullopt;
  record.configuration = std::move(*configuration);
  for (const auto& one : kept->get_object()) {
    if (!one.value().is_string()) return std::nullopt;
    std::optional<std::string> content = bytes_of(std::string(one.value().get_string()));
    if (!content) return std::nullopt;
    record.kept[std::string(one.key())] = std::move(*content);
  }
  return record;
}

}  // namespace

const ComposeRecord* ComposeRecords::find(const rules::Revision& revision) const {
  const auto found =
      std::find_if(records.begin(), records.end(), [&](const auto& one) { return one.revision == revision; });
  return found == records.end() ? nullptr : &*found;
}

ComposeRecord* ComposeRecords::find(const rules::Revision& revision) {
  const auto found =
      std::find_if(records.begin(), records.end(), [&](const auto& one) { return one.revision == revision; });
  return found == records.end() ? nullptr : &*found;
}

std::string ComposeRecords::configuration_of(const rules::Revision& revision) const {
  const ComposeRecord* const wanted = find(revision);
  if (wanted == nullptr || !wanted->configuration.empty()) return wanted == nullptr ? "" : wanted->configuration;
  const auto is_alike = [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.settings == other.second.settings;
  };
  for (const ComposeRecord& other : records) {
    const bool alike =
        std::equal(wanted->images.begin(), wanted->images.end(), other.images.begin(), other.images.end(), is_alike);
    if (alike && !other.configuration.empty()) return other.configuration;
  }
  return {};
}

std::vector<ComposeRecord> drop_oldest(ComposeRecords& records, const std::set<rules::Revision>& needed) {
  std::vector<ComposeRecord> dropped;
  std::vector<ComposeRecord>& all = records.records;
  while (all.size() > compose_records_max) {
    auto oldest = all.end();
    for (auto at = all.begin(); at != all.end(); ++at) {
      const bool is_older = oldest == all.end() || at->last_seen < oldest->last_seen;
      if (is_older && !needed.contains(at->revision)) oldest = at;
    }
    if (oldest == all.end()) break;
    dropped.push_back(std::move(*oldest));
    all.erase(oldest);
  }
  return dropped;
}

std::string to_json(const ComposeRecords& records) {
  json::array all;
  for (const ComposeRecord& record : records.records) all.push_back(to_object(record));
  json::array aftermath;
  for (const std::string& line : records.aftermath) aftermath.emplace_back(line);
  json::object root;
  root["records"] = std::move(all);
  root["aftermath"] = std::move(aftermath);
  return json::serialize(root) + "\n";
}

std::optional<ComposeRecords> parse_compose_records(std::string_view text) {
  json::error_code error;
  const json::value root = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !root.is_object()) return std::nullopt;
  const json::value* const all = root.get_object().if_contains("records");
  if (all == nullptr || !all->is_array()) return std::nullopt;
  ComposeRecords out;
  for (const json::value& one : all->get_array()) {
    std::optional<ComposeRecord> record = record_from(one);
    if (!record) return std::nullopt;
    out.records.push_back(std::move(*record));
  }
  out.aftermath = texts_at(root.get_object(), "aftermath");
  return out;
}

ComposeFile::ComposeFile(const std::string& state_dir, const std::string& service)
    : folder_(state_dir + "/compose"), path_(folder_ + "/" + service + ".json") {}

std::optional<ComposeRecords> ComposeFile::read() const {
  std::error_code error;
  const bool absent = !std::filesystem::exists(path_, error) && !error;
  if (absent) return ComposeRecords();
  const std::optional<std::string> text = read_whole(path_);
  return text ? parse_compose_records(*text) : std::nullopt;
}

std::optional<std::string> ComposeFile::write(const ComposeRecords& records) const {
  return write_notes(path_, to_json(records));
}

std::optional<std::string> ComposeFile::write_beside(const std::string& name, std::string_view content) const {
  return write_notes(beside(name), content);
}

}  // namespace watcher
