#include "watcher/drivers/http_notes.hpp"

#include <boost/json.hpp>
#include <filesystem>
#include <utility>

#include "watcher/drivers/notes_file.hpp"
#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

std::optional<std::string> text_at(const json::object& object, std::string_view key) {
  const json::value* const found = object.if_contains(key);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return std::string(found->get_string());
}

}  // namespace

std::string to_json(const HttpNotes& notes) {
  const json::object root{{"incident", notes.incident},  {"count", notes.count}, {"id", notes.id},
                          {"from", notes.from},          {"to", notes.to},       {"since", notes.since},
                          {"settled", notes.is_settled}, {"link", notes.link},   {"unheard", notes.is_unheard}};
  return json::serialize(root) + "\n";
}

std::optional<HttpNotes> parse_http_notes(std::string_view text) {
  json::error_code error;
  const json::value root = json::parse(text, error);
  if (error || !root.is_object()) return std::nullopt;
  const json::object& object = root.get_object();
  HttpNotes out;
  struct Part {
    std::string_view key;
    std::string& into;
  };
  const Part parts[] = {{"incident", out.incident}, {"id", out.id},    {"from", out.from}, {"to", out.to},
                        {"since", out.since},       {"link", out.link}};
  for (const Part& part : parts) {
    std::optional<std::string> value = text_at(object, part.key);
    if (!value) return std::nullopt;
    part.into = *std::move(value);
  }
  const json::value* const count = object.if_contains("count");
  const json::value* const settled = object.if_contains("settled");
  if (count == nullptr || !count->is_int64() || settled == nullptr || !settled->is_bool()) return std::nullopt;
  out.count = count->get_int64();
  out.is_settled = settled->get_bool();
  const json::value* const unheard = object.if_contains("unheard");
  out.is_unheard = unheard != nullptr && unheard->is_bool() && unheard->get_bool();
  return out;
}

HttpNotesFile::HttpNotesFile(const std::string& state_dir, const std::string& service)
    : path_(state_dir + "/http/" + service + ".json") {}

HttpNotesFile::Found HttpNotesFile::read() const {
  Found out;
  std::error_code failure;
  const bool is_there = std::filesystem::exists(path_, failure);
  if (!is_there && !failure) return out;
  const std::optional<std::string> text = read_whole(path_);
  const std::optional<HttpNotes> notes = text ? parse_http_notes(*text) : std::nullopt;
  if (notes) {
    out.notes = *notes;
  } else {
    out.error = path_ + " cannot be read: it says whether a run was asked for; look at the CI, then remove it";
  }
  return out;
}

std::optional<std::string> HttpNotesFile::write(const HttpNotes& notes) const {
  return write_notes(path_, to_json(notes));
}

}  // namespace watcher
