#include "watcher/drivers/chain_notes.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "watcher/drivers/notes_file.hpp"
#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

using Names = std::vector<std::pair<std::string, std::string>>;

const Names& names_of(const ChainNotes& notes, const std::string& driver) {
  static const Names none;
  const auto found = notes.names.find(driver);
  return found == notes.names.end() ? none : found->second;
}

std::optional<Names> parse_names(const json::value& list) {
  if (!list.is_array()) return std::nullopt;
  Names out;
  for (const json::value& one : list.get_array()) {
    const bool is_pair = one.is_array() && one.get_array().size() == 2 && one.get_array()[0].is_string() &&
                         one.get_array()[1].is_string();
    if (!is_pair) return std::nullopt;
    out.emplace_back(std::string(one.get_array()[0].get_string()), std::string(one.get_array()[1].get_string()));
  }
  return out;
}

}  // namespace

std::string to_json(const ChainNotes& notes) {
  json::object names;
  for (const auto& [driver, pairs] : notes.names) {
    json::array list;
    for (const auto& [revision, name] : pairs) list.push_back(json::array{json::string(revision), json::string(name)});
    names[driver] = std::move(list);
  }
  const json::object root{{"namer", notes.namer},   {"names", std::move(names)},  {"running", notes.running},
                          {"before", notes.before}, {"incident", notes.incident}, {"to", notes.to},
                          {"driver", notes.driver}};
  return json::serialize(root) + "\n";
}

std::optional<ChainNotes> parse_chain_notes(std::string_view text) {
  json::error_code error;
  const json::value root = json::parse(text, error);
  if (error || !root.is_object()) return std::nullopt;
  const json::object& object = root.get_object();
  ChainNotes out;
  const std::pair<std::string_view, std::string*> parts[] = {{"namer", &out.namer},   {"running", &out.running},
                                                             {"before", &out.before}, {"incident", &out.incident},
                                                             {"to", &out.to},         {"driver", &out.driver}};
  for (const auto& [key, into] : parts) {
    const json::value* const found = object.if_contains(key);
    if (found == nullptr || !found->is_string()) return std::nullopt;
    *into = std::string(found->get_string());
  }
  const json::value* const names = object.if_contains("names");
  if (names == nullptr || !names->is_object()) return std::nullopt;
  for (const auto& [driver, list] : names->get_object()) {
    std::optional<Names> pairs = parse_names(list);
    if (!pairs) return std::nullopt;
    out.names[std::string(driver)] = *std::move(pairs);
  }
  return out;
}

std::string name_of(const ChainNotes& notes, const std::string& driver, const std::string& revision) {
  for (const auto& [known, name] : names_of(notes, driver)) {
    if (known == revision) return name;
  }
  return {};
}

std::vector<std::string> called(const ChainNotes& notes, const std::string& driver, const std::string& name) {
  std::vector<std::string> out;
  for (const auto& [revision, known] : names_of(notes, driver)) {
    if (known == name) out.push_back(revision);
  }
  return out;
}

std::string why_no_name(const ChainNotes& notes, const std::string& driver, const std::string& revision) {
  const std::string name = name_of(notes, driver, revision);
  if (name.empty()) {
    return "what it calls " + revision +
           " is not known: that is learnt while a revision runs, where it has a name of its own";
  }
  std::string others;
  for (const std::string& other : called(notes, driver, name)) {
    if (other != revision) others += (others.empty() ? "" : ", ") + other;
  }
  if (others.empty()) return {};
  return "it calls " + revision + " " + name + ", and " + others +
         " too, so that nobody could say which one it would bring";
}

bool note_running(ChainNotes& notes, const std::string& revision) {
  if (notes.running == revision) return false;
  notes.before = std::exchange(notes.running, revision);
  return true;
}

bool NameLearner::heard(ChainNotes& notes, const std::string& driver, const std::string& revision,
                        const std::string& name) {
  const bool is_of_before = !notes.before.empty() && name_of(notes, driver, notes.before) == name;
  std::pair<std::string, std::string> now(revision, name);
  const bool is_again = heard_[driver] == now;
  heard_[driver] = std::move(now);
  if (is_of_before || !is_again || !name_of(notes, driver, revision).empty()) return false;
  Names& all = notes.names[driver];
  all.emplace_back(revision, name);
  if (all.size() > names_kept_max) all.erase(all.begin());
  return true;
}

std::string NameLearner::last_heard(const std::string& driver, const std::string& revision) const {
  const auto found = heard_.find(driver);
  return found == heard_.end() || found->second.first != revision ? std::string() : found->second.second;
}

ChainNotesFile::ChainNotesFile(const std::string& state_dir, const std::string& service)
    : path_(state_dir + "/drivers/" + service + ".json") {}

ChainNotesFile::Found ChainNotesFile::read() const {
  Found out;
  std::error_code failure;
  if (!std::filesystem::exists(path_, failure) && !failure) return out;
  const std::optional<std::string> text = read_whole(path_);
  std::optional<ChainNotes> notes = text ? parse_chain_notes(*text) : std::nullopt;
  if (notes)
    out.notes = *std::move(notes);
  else
    out.error = path_ + " cannot be read: it says which driver a switch was begun with; remove it when none is at work";
  return out;
}

std::optional<std::string> ChainNotesFile::write(const ChainNotes& notes) const {
  return write_notes(path_, to_json(notes));
}

}  // namespace watcher
