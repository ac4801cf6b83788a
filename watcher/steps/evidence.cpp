#include "watcher/steps/evidence.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string failure(const std::string& attempt, int error) {
  return attempt + ": " + std::generic_category().message(error);
}

}  // namespace

bool is_evidence_name(std::string_view file) {
  constexpr std::size_t name_max = 200;  // bytes; file systems allow 255
  return !file.empty() && file.size() <= name_max && file.front() != '.' &&
         std::all_of(file.begin(), file.end(), is_plain);
}

std::string evidence_dir(const std::string& incidents_dir, const rules::IncidentId& incident) {
  return incidents_dir + "/" + incident.text + "/evidence";
}

std::optional<std::string> make_evidence_dir(const std::string& dir) {
  const std::optional<JournalFault> fault = make_folder(dir, private_folder);
  if (!fault) return std::nullopt;
  return fault->what;
}

std::optional<std::string> write_evidence(const std::string& dir, const std::string& file, std::string_view content) {
  const std::string path = dir + "/" + file;
  // What is there already may be somebody's link to another place.
  ::unlink(path.c_str());
  const Descriptor out(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, private_file));
  if (!out.is_open()) return failure("create " + path, errno);
  while (!content.empty()) {
    const ssize_t written = ::write(out.number(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure("write " + path, errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return std::nullopt;
}

}  // namespace watcher
