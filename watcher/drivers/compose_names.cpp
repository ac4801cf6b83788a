#include "watcher/drivers/compose_names.hpp"

#include <algorithm>

namespace watcher {

namespace {

constexpr std::size_t prefix_min = 4;  // digits
constexpr std::size_t digits_shown = 12;
constexpr std::string_view algorithm = "sha256:";

std::string digits_of(const std::string& image) {
  return image.starts_with(algorithm) ? image.substr(algorithm.size()) : image;
}

bool is_called(const ComposeImage& image, const std::string& name) {
  const std::string digits = digits_of(name);
  if (digits.size() >= prefix_min && digits_of(image.image).starts_with(digits)) return true;
  if (!image.name.empty() && (image.name == name || image.name.ends_with(":" + name))) return true;
  return std::any_of(image.digests.begin(), image.digests.end(),
                     [&](const std::string& one) { return one == name || one.ends_with("@" + name); });
}

bool is_called(const ComposeRecord& record, const std::string& name) {
  if (name.size() >= prefix_min && record.revision.text.starts_with(name)) return true;
  return std::any_of(record.images.begin(), record.images.end(),
                     [&](const auto& one) { return is_called(one.second, name); });
}

}  // namespace

std::string shown_image(const ComposeImage& image) {
  const std::string digits = digits_of(image.image).substr(0, digits_shown);
  return image.name.empty() || image.name.starts_with(algorithm) ? digits : image.name + " (" + digits + ")";
}

NameMeans revisions_named(const ComposeRecords& records, const std::string& name) {
  NameMeans out;
  out.knows_names = true;
  const ComposeRecord* const exact = records.find(rules::Revision(name));
  if (exact != nullptr) {
    out.meant.push_back(exact->revision);
    return out;
  }
  for (const ComposeRecord& record : records.records) {
    if (is_called(record, name)) out.meant.push_back(record.revision);
  }
  if (out.meant.empty()) {
    out.why_none = "no revision that ran here is called \"" + name + "\", nor has one an image of that name or id";
  }
  return out;
}

std::vector<std::string> images_between(const ComposeRecords& records, const rules::Revision& from,
                                        const rules::Revision& to, std::size_t most) {
  std::vector<std::string> lines;
  const ComposeRecord* const left = records.find(from);
  const ComposeRecord* const taken = records.find(to);
  if (left == nullptr || taken == nullptr) return lines;
  std::size_t more = 0;
  for (const auto& [service, image] : taken->images) {
    const auto before = left->images.find(service);
    if (before == left->images.end()) continue;
    const bool same_image = before->second.image == image.image;
    if (same_image && before->second.settings == image.settings) continue;
    if (lines.size() == most) {
      ++more;
      continue;
    }
    lines.push_back(service + ": " +
                    (same_image ? "settings that " + shown_image(image) + " was started with"
                                : shown_image(before->second) + ", back to " + shown_image(image)));
  }
  if (more > 0) lines.push_back("... and " + std::to_string(more) + " more");
  return lines;
}

}  // namespace watcher
