#include "watcher/samples/sample_files.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "watcher/journal/files.hpp"
#include "watcher/samples/line_files.hpp"
#include "watcher/samples/sample_text.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;

constexpr rules::Duration file_span_max = std::chrono::hours(1);
constexpr std::string_view end_of_file = "# EOF\n";

struct RecordedFile {
  fs::path path;
  rules::Instant begun;
  std::int64_t bytes = 0;
  bool open = false;  // .om: not finished yet
};

std::optional<rules::Instant> begun_of(const fs::path& path) {
  const std::string name = path.filename().string();
  const std::string digits = name.substr(0, name.find('.'));
  const bool number =
      !digits.empty() && digits.size() <= 12 && digits.find_first_not_of("0123456789") == std::string::npos;
  if (!number) return std::nullopt;
  return rules::Instant(std::chrono::seconds(std::stoll(digits)));
}

// Oldest first; whatever else lies there is not ours.
std::vector<RecordedFile> files_in(const std::string& dir) {
  std::vector<RecordedFile> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dir, error)) {
    const std::string name = entry.path().filename().string();
    const bool open = name.ends_with(".om");
    const std::optional<rules::Instant> begun = begun_of(entry.path());
    if (!begun || (!open && !name.ends_with(".om.zst"))) continue;
    const std::uintmax_t size = entry.file_size(error);
    files.push_back({entry.path(), *begun, error ? 0 : static_cast<std::int64_t>(size), open});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.begun < b.begun; });
  return files;
}

// False: errno says why.
bool put(const fs::path& path, int how, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | how, private_file));
  return file.is_open() && write_all(file.number(), text);
}

// Compressed beside it first, so that a crash leaves one of the two whole.
void finish(const fs::path& path) {
  const fs::path part = path.string() + ".zst.part";
  std::error_code error;
  if (!compress_lines(path, part, end_of_file)) {
    fs::remove(part, error);
    return;
  }
  fs::rename(part, path.string() + ".zst", error);
  if (!error) fs::remove(path, error);
}

}  // namespace

SampleFiles::SampleFiles(std::string state_dir, rules::Duration keep)
    : dir_(std::move(state_dir) + "/samples"), keep_(keep) {}

bool SampleFiles::has_room() const {
  struct statvfs space {};
  if (statvfs(dir_.c_str(), &space) != 0) return false;
  return static_cast<double>(space.f_bavail) * static_cast<double>(space.f_frsize) >= static_cast<double>(free_min);
}

std::optional<std::string> SampleFiles::append(const std::string& text, rules::Instant now) {
  if (const auto fault = make_folder(dir_, private_folder)) return "record samples: " + fault->what;
  finish_old(now);
  prune(now);
  if (!has_room()) return "record samples: less than 64 MiB are free under " + dir_ + "; nothing is recorded";
  const std::vector<RecordedFile> files = files_in(dir_);
  const bool goes_on = !files.empty() && files.back().open;
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const fs::path path = goes_on ? files.back().path : fs::path(dir_) / (std::to_string(second) + ".om");
  if (!put(path, O_APPEND, text)) return "record samples: write " + path.string() + ": " + std::strerror(errno);
  return std::nullopt;
}

void SampleFiles::finish_old(rules::Instant now) {
  for (const RecordedFile& file : files_in(dir_)) {
    if (file.open && (file.bytes >= file_max || now >= file.begun + file_span_max)) finish(file.path);
  }
}

void SampleFiles::prune(rules::Instant now) {
  std::vector<RecordedFile> files = files_in(dir_);
  std::int64_t total = 0;
  for (const RecordedFile& file : files) total += file.bytes;
  const bool room = has_room();
  for (const RecordedFile& file : files) {
    const bool old = file.begun + file_span_max + keep_ < now;
    if (!old && total <= total_max && room) continue;
    std::error_code error;
    fs::remove(file.path, error);
    total -= file.bytes;
  }
}

std::vector<rules::Poll> SampleFiles::read(rules::Instant from, std::size_t most,
                                           const std::set<rules::ProbeName>& wanted) const {
  SampleReader reader(from, most, wanted);
  const TakeLine take = [&reader](std::string_view line) { return reader.push(line); };
  const std::vector<RecordedFile> files = files_in(dir_);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const bool over = i + 1 < files.size() && files[i + 1].begun < from;
    if (over) continue;
    const fs::path finished = files[i].path.string() + ".zst";
    std::error_code failure;
    if (files[i].open && !fs::exists(finished, failure))
      each_line(files[i].path, take);
    else
      each_compressed_line(files[i].open ? finished : files[i].path, take);
  }
  std::vector<rules::Poll> polls = reader.take();
  std::stable_sort(polls.begin(), polls.end(), [](const auto& a, const auto& b) { return a.ended < b.ended; });
  return polls;
}

}  // namespace watcher
