#include "watcher/drivers/kubernetes_notes.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "watcher/drivers/notes_file.hpp"
#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr std::size_t seen_max = 50;   // revisions; Kubernetes itself keeps ten
constexpr std::size_t prefix_min = 4;  // characters

json::array to_array(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

std::optional<std::vector<std::string>> texts_at(const json::object& object, std::string_view key) {
  const json::value* const found = object.if_contains(key);
  if (found == nullptr || !found->is_array()) return std::nullopt;
  std::vector<std::string> out;
  for (const json::value& one : found->get_array()) {
    if (!one.is_string()) return std::nullopt;
    out.emplace_back(one.get_string());
  }
  return out;
}

bool is_called(const KubernetesSeen& seen, const std::string& name) {
  if (name.size() >= prefix_min && seen.revision.starts_with(name)) return true;
  return std::any_of(seen.images.begin(), seen.images.end(), [&](const std::string& image) {
    return image == name || image.ends_with(":" + name) || image.ends_with("@" + name);
  });
}

const KubernetesSeen* find(const KubernetesNotes& notes, const std::string& revision) {
  const auto found = std::find_if(notes.seen.begin(), notes.seen.end(),
                                  [&](const KubernetesSeen& one) { return one.revision == revision; });
  return found == notes.seen.end() ? nullptr : &*found;
}

}  // namespace

std::string to_json(const KubernetesNotes& notes) {
  json::array seen;
  for (const KubernetesSeen& one : notes.seen)
    seen.push_back(json::object{{"revision", one.revision}, {"images", to_array(one.images)}});
  json::object root;
  root["seen"] = std::move(seen);
  root["aftermath"] = to_array(notes.aftermath);
  root["from"] = notes.from;
  root["to"] = notes.to;
  return json::serialize(root) + "\n";
}

std::optional<KubernetesNotes> parse_kubernetes_notes(std::string_view text) {
  json::error_code error;
  const json::value root = json::parse(text, error);
  if (error || !root.is_object()) return std::nullopt;
  KubernetesNotes out;
  std::optional<std::vector<std::string>> aftermath = texts_at(root.get_object(), "aftermath");
  const json::value* const seen = root.get_object().if_contains("seen");
  const json::value* const from = root.get_object().if_contains("from");
  const json::value* const to = root.get_object().if_contains("to");
  if (from == nullptr || !from->is_string() || to == nullptr || !to->is_string()) return std::nullopt;
  if (!aftermath || seen == nullptr || !seen->is_array()) return std::nullopt;
  out.from = std::string(from->get_string());
  out.to = std::string(to->get_string());
  out.aftermath = *std::move(aftermath);
  for (const json::value& one : seen->get_array()) {
    if (!one.is_object()) return std::nullopt;
    const json::value* const revision = one.get_object().if_contains("revision");
    std::optional<std::vector<std::string>> images = texts_at(one.get_object(), "images");
    if (revision == nullptr || !revision->is_string() || !images) return std::nullopt;
    out.seen.push_back({std::string(revision->get_string()), *std::move(images)});
  }
  return out;
}

bool note_seen(KubernetesNotes& notes, KubernetesSeen seen) {
  if (seen.revision.empty() || (!notes.seen.empty() && notes.seen.back() == seen)) return false;
  std::erase_if(notes.seen, [&](const KubernetesSeen& one) { return one.revision == seen.revision; });
  notes.seen.push_back(std::move(seen));
  if (notes.seen.size() > seen_max) notes.seen.erase(notes.seen.begin());
  return true;
}

NameMeans revisions_named(const KubernetesNotes& notes, const std::string& name) {
  NameMeans out;
  out.knows_names = true;
  const KubernetesSeen* const exact = find(notes, name);
  if (exact != nullptr) {
    out.meant.emplace_back(exact->revision);
    return out;
  }
  for (const KubernetesSeen& one : notes.seen) {
    if (is_called(one, name)) out.meant.emplace_back(one.revision);
  }
  if (out.meant.empty())
    out.why_none = "no revision that ran here is called \"" + name + "\", nor has one an image of that name or tag";
  return out;
}

std::vector<std::string> images_between(const KubernetesNotes& notes, const std::string& from, const std::string& to,
                                        std::size_t most) {
  std::vector<std::string> lines;
  const KubernetesSeen* const left = find(notes, from);
  const KubernetesSeen* const taken = find(notes, to);
  if (left == nullptr || taken == nullptr) return lines;
  const std::size_t count = std::min(left->images.size(), taken->images.size());
  std::size_t more = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (left->images[i] == taken->images[i]) continue;
    if (lines.size() == most)
      ++more;
    else
      lines.push_back(left->images[i] + ", back to " + taken->images[i]);
  }
  if (more > 0) lines.push_back("... and " + std::to_string(more) + " more");
  if (lines.empty()) lines.emplace_back("settings of the pod template, or what its tag names");
  return lines;
}

KubernetesNotesFile::KubernetesNotesFile(const std::string& state_dir, const std::string& service)
    : path_(state_dir + "/kubernetes/" + service + ".json") {}

KubernetesNotes KubernetesNotesFile::read() const {
  const std::optional<std::string> text = read_whole(path_);
  if (!text) return {};
  return parse_kubernetes_notes(*text).value_or(KubernetesNotes());
}

std::optional<std::string> KubernetesNotesFile::write(const KubernetesNotes& notes) const {
  return write_notes(path_, to_json(notes));
}

}  // namespace watcher
