#include "watcher/drivers/compose_memory.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <set>
#include <utility>

#include "probes/parse/number.hpp"

namespace watcher {

namespace {

std::int64_t seconds_of(rules::Instant at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

// A repository's name has small letters and digits, with signs only between them.
std::string repository_of(const std::string& project, const std::string& service) {
  std::string out;
  for (char c : project + "-" + service) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (is_plain) out += c;
    if (!is_plain && !out.empty() && out.back() != '-') out += '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return "rollbackd/" + out;
}

std::vector<std::string> digests_in(const std::string& text) {
  std::vector<std::string> out;
  boost::json::error_code error;
  const boost::json::value root = boost::json::parse(text, error);
  if (error || !root.is_array()) return out;
  for (const boost::json::value& one : root.get_array()) {
    if (one.is_string()) out.emplace_back(one.get_string());
  }
  return out;
}

// "web HASH", a line each.
std::map<std::string, std::string> hashes_in(std::string_view text) {
  std::map<std::string, std::string> out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t blank = line.find(' ');
    if (blank != std::string_view::npos)
      out[std::string(line.substr(0, blank))] = std::string(probes::trimmed(line.substr(blank)));
  }
  return out;
}

bool made_by(const std::map<std::string, std::string>& hashes, const ComposeLook& look) {
  return std::all_of(look.runs.begin(), look.runs.end(), [&](const auto& one) {
    const auto found = hashes.find(one.first);
    return found != hashes.end() && found->second == one.second.config_hash;
  });
}

}  // namespace

ComposeMemory::ComposeMemory(const std::string& state_dir, const std::string& service, const ComposeDriver& config,
                             const probes::Clock& clock)
    : config_(config), clock_(clock), file_(state_dir, service), records_(file_.read()) {}

// Who is told that the file cannot be read may remove it.
ComposeRecords* ComposeMemory::records() {
  if (!records_) records_ = file_.read();
  return records_ ? &*records_ : nullptr;
}

std::string ComposeMemory::why_unreadable() const {
  return file_.path() + " cannot be read; do remove it: what runs is noted anew then, and what ran before is no target";
}

std::optional<std::string> ComposeMemory::save() {
  return records_ ? file_.write(*records_) : std::optional<std::string>();
}

bool ComposeMemory::knows_all(const ComposeRecord& record) const {
  const bool is_tagged =
      std::all_of(record.images.begin(), record.images.end(), [](const auto& one) { return !one.second.tag.empty(); });
  return is_tagged && !record.configuration.empty();
}

asio::awaitable<void> ComposeMemory::note(const ComposeRunner& runner, ComposeTool tool, ComposeLook look,
                                          rules::Revision needed) {
  constexpr int part = 100;  // of the time
  if (records() == nullptr || look.revision.empty()) co_return;
  const rules::Revision revision(look.revision);
  const ComposeRecord* const known = records_->find(revision);
  const bool is_newest = newest_ == look.revision;
  const rules::Instant before = clock_.now();
  if (known != nullptr && is_newest && (knows_all(*known) || before < again_at_)) co_return;
  ComposeRecord record;
  if (known != nullptr) record = *known;
  record.revision = revision;
  record.last_seen = seconds_of(before);
  co_await note_images(runner, look, record);
  if (record.configuration.empty()) co_await note_files(runner, std::move(tool), look, record);
  again_at_ = clock_.now() + part * (clock_.now() - before);
  newest_ = look.revision;
  // Somebody else may have noted something meanwhile.
  ComposeRecord* const place = records_->find(revision);
  if (place != nullptr)
    *place = std::move(record);
  else
    records_->records.push_back(std::move(record));
  std::set<rules::Revision> kept;
  kept.insert(revision);
  kept.insert(std::move(needed));
  std::vector<ComposeRecord> dropped = drop_oldest(*records_, kept);
  save();
  co_await forget(runner, std::move(dropped));
}

asio::awaitable<void> ComposeMemory::note_images(const ComposeRunner& runner, const ComposeLook& look,
                                                 ComposeRecord& record) {
  for (const auto& one : look.runs) {
    const std::string& service = one.first;
    const ComposeRuns& runs = one.second;
    ComposeImage image = record.images[service];
    if (!image.tag.empty()) continue;
    image.image = runs.image;
    if (image.name.empty()) image.name = runs.image_name;
    image.settings = sha256_hex(runs.configured);
    std::vector<std::string> question{"image", "inspect", "--format", "{{json .RepoDigests}}"};
    question.push_back(runs.image);
    const ComposeAnswer digests = co_await runner.docker(std::move(question), docker_question_limit);
    if (const auto* const text = std::get_if<std::string>(&digests)) image.digests = digests_in(*text);
    const std::string tag = repository_of(look.project, service) + ":" + look.revision;
    std::vector<std::string> deed{"tag"};
    deed.push_back(runs.image);
    deed.push_back(tag);
    const ComposeAnswer tagged = co_await runner.docker(std::move(deed), docker_question_limit);
    if (std::holds_alternative<std::string>(tagged)) image.tag = tag;
    record.images[service] = std::move(image);
  }
}

asio::awaitable<void> ComposeMemory::note_files(const ComposeRunner& runner, ComposeTool tool, const ComposeLook& look,
                                                ComposeRecord& record) {
  std::vector<std::string> ask_hashes{"config", "--hash=*"};
  const ComposeAnswer hashes = co_await runner.compose(tool, look.project, std::move(ask_hashes));
  const auto* const listed = std::get_if<std::string>(&hashes);
  if (listed == nullptr || !made_by(hashes_in(*listed), look)) co_return;
  std::vector<std::string> ask_all{"config"};
  const ComposeAnswer configuration = co_await runner.compose(std::move(tool), look.project, std::move(ask_all));
  const auto* const text = std::get_if<std::string>(&configuration);
  if (text == nullptr) co_return;
  std::map<std::string, std::string> kept;
  for (const std::string& name : config_.keep) {
    const ComposeAnswer content = co_await runner.read_file(config_.dir + "/" + name);
    if (const auto* const bytes = std::get_if<std::string>(&content)) kept[name] = *bytes;
  }
  record.kept = std::move(kept);
  record.configuration = *text;
}

asio::awaitable<void> ComposeMemory::forget(const ComposeRunner& runner, std::vector<ComposeRecord> dropped) {
  for (const ComposeRecord& record : dropped) {
    for (const auto& one : record.images) {
      if (one.second.tag.empty()) continue;
      std::vector<std::string> deed{"image", "rm", "--no-prune"};
      deed.push_back(one.second.tag);
      co_await runner.docker(std::move(deed), docker_question_limit);
    }
  }
}

}  // namespace watcher
