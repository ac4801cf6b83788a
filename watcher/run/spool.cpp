#include "watcher/run/spool.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::size_t spool_digits = 12;

std::string spool_dir(const std::string& state_dir) { return state_dir + "/spool"; }

std::string_view kind_name(rules::MarkKind kind) {
  switch (kind) {
    case rules::MarkKind::begin:
      return "begin";
    case rules::MarkKind::end:
      return "end";
    case rules::MarkKind::mark:
      return "mark";
  }
  return "";
}

json::value to_json(const rules::DeployMark& mark) {
  json::object out{{"service", mark.service.text},
                   {"kind", kind_name(mark.kind)},
                   {"at_ns", mark.at.time_since_epoch().count()},
                   {"schema", mark.schema},
                   {"backup", mark.backup}};
  if (mark.revision) out["revision"] = mark.revision->text;
  if (mark.policy) out["rollback"] = rules::to_string(*mark.policy);
  return out;
}

json::value to_json(const rules::Declare& word) {
  return json::object{{"service", word.service.text},
                      {"kind", word.standing == rules::Standing::bad ? "bad" : "good"},
                      {"revision", word.revision.text}};
}

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::optional<rules::RollbackPolicy> policy_of(const std::string& text) {
  using rules::RollbackPolicy;
  for (const auto policy : {RollbackPolicy::automatic, RollbackPolicy::ask, RollbackPolicy::forbidden}) {
    if (text == rules::to_string(policy)) return policy;
  }
  return std::nullopt;
}

std::optional<rules::MarkKind> mark_kind_of(const std::string& text) {
  using rules::MarkKind;
  for (const auto kind : {MarkKind::begin, MarkKind::end, MarkKind::mark}) {
    if (text == kind_name(kind)) return kind;
  }
  return std::nullopt;
}

std::optional<SpooledWord> from_json(const json::object& object) {
  const rules::ServiceName service(text_of(object, "service"));
  const rules::Revision revision(text_of(object, "revision"));
  const std::string kind = text_of(object, "kind");
  if (kind == "good" || kind == "bad") {
    return rules::Declare{service, revision, kind == "bad" ? rules::Standing::bad : rules::Standing::good};
  }
  const std::optional<rules::MarkKind> mark_kind = mark_kind_of(kind);
  const json::value* at = object.if_contains("at_ns");
  if (!mark_kind || at == nullptr || !at->is_int64()) return std::nullopt;
  rules::DeployMark mark;
  mark.service = service;
  mark.at = rules::Instant(rules::Duration(at->as_int64()));
  mark.kind = *mark_kind;
  if (!revision.empty()) mark.revision = revision;
  mark.policy = policy_of(text_of(object, "rollback"));
  mark.schema = text_of(object, "schema");
  mark.backup = text_of(object, "backup");
  return mark;
}

std::optional<SpooledWord> read_word(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  boost::system::error_code error;
  const json::value value = json::parse(text.str(), error);
  if (error || !value.is_object()) return std::nullopt;
  return from_json(value.as_object());
}

std::optional<std::string> failure(const std::string& what, const std::string& path) {
  return what + " " + path + ": " + std::strerror(errno);
}

std::optional<std::string> synced(const std::string& folder) {
  const std::optional<JournalFault> fault = sync_folder(folder);
  return fault ? std::optional(fault->what) : std::nullopt;
}

std::optional<std::string> write_durably(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".part";
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, private_file);
  if (fd < 0) return failure("create", temporary);
  const ssize_t written = write(fd, text.data(), text.size());
  const bool whole = written == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  close(fd);
  // Not renamed: that would take the place of a word that another script spooled meanwhile.
  std::optional<std::string> error;
  if (!whole || link(temporary.c_str(), path.c_str()) != 0) error = failure("write", path);
  const int cause = errno;
  unlink(temporary.c_str());
  if (!error) error = synced(fs::path(path).parent_path());
  errno = cause;
  return error;
}

// Twelve digits and .json: whatever else lies there is not ours.
bool is_spool_file(const fs::path& path) {
  const std::string stem = path.stem().string();
  return path.extension() == ".json" && stem.size() == spool_digits &&
         stem.find_first_not_of("0123456789") == std::string::npos;
}

std::vector<fs::path> spooled_files(const std::string& state_dir) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(spool_dir(state_dir), error)) {
    if (is_spool_file(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::optional<std::string> spool(const std::string& state_dir, const SpooledWord& word) {
  const std::string dir = spool_dir(state_dir);
  if (const auto fault = make_folder(dir, private_folder)) return fault->what;
  const std::vector<fs::path> files = spooled_files(state_dir);
  if (files.size() >= spool_files_max) return dir + " holds " + std::to_string(files.size()) + " words already";
  const json::value value = std::visit([](const auto& w) { return to_json(w); }, word);
  // Names sort in the order of spooling, also when two scripts spool at once: the loser of a name takes the next.
  std::size_t number = files.empty() ? 0 : std::stoul(files.back().stem().string()) + 1;
  for (const std::size_t last = number + spool_files_max; number < last; ++number) {
    std::string name = std::to_string(number);
    name.insert(0, spool_digits - std::min(name.size(), spool_digits), '0');
    const std::string path = dir + "/" + name + ".json";
    if (access(path.c_str(), F_OK) == 0) continue;
    std::optional<std::string> problem = write_durably(path, json::serialize(value));
    if (problem && errno == EEXIST) continue;
    return problem;
  }
  return "no free name in " + dir;
}

std::vector<Spooled> read_spool(const std::string& state_dir, std::vector<std::string>& unreadable) {
  std::vector<Spooled> spooled;
  for (const fs::path& path : spooled_files(state_dir)) {
    std::optional<SpooledWord> word = read_word(path);
    if (word) {
      spooled.push_back({path.string(), std::move(*word)});
    } else {
      unreadable.push_back(path.string());
    }
  }
  return spooled;
}

void remove_spooled(const Spooled& spooled) { unlink(spooled.file.c_str()); }

}  // namespace watcher
