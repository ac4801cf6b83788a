#include "watcher/steps/evidence.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "probes/net/task_group.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/journal/files.hpp"
#include "watcher/report/visible.hpp"
#include "watcher/run/log.hpp"
#include "watcher/steps/command.hpp"
#include "watcher/steps/redact.hpp"

namespace watcher {

namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string failure(const std::string& attempt, int error) {
  return attempt + ": " + std::generic_category().message(error);
}

// As a reader has to know it: no output is not the same as a command that could not be run.
std::string ending_of(const probes::ChildResult& ended) {
  using probes::ChildEnd;
  switch (ended.end) {
    case ChildEnd::exited:
      return ended.exit_code == 0 ? "" : "exited with " + std::to_string(ended.exit_code);
    case ChildEnd::signalled:
      return "was ended by signal " + std::to_string(ended.exit_code);
    case ChildEnd::timed_out:
      return "took too long, and was ended";
    case ChildEnd::cancelled:
      return "was called off";
    case ChildEnd::not_started:
      return "could not be started: " + ended.error;
  }
  return "";
}

// By the name people open it with `less`; what has another name, and bytes that no text has, is theirs to take apart.
bool is_read_as_text(std::string_view file, std::string_view content) {
  constexpr std::array<std::string_view, 11> endings{".txt", ".log",  ".json", ".md",  ".csv", ".html",
                                                     ".xml", ".yaml", ".yml",  ".out", ".err"};
  const bool is_named_so = file.find('.') == file.npos || std::any_of(endings.begin(), endings.end(), [&](auto ending) {
                             return file.ends_with(ending);
                           });
  return is_named_so || content.find('\0') == content.npos;
}

// In pieces, so that little is in memory twice, each up to the end of a line or of a character; no more than a file may
// have, as what is shown instead of a byte is longer.
bool write_visibly(int file, std::string_view content) {
  constexpr std::size_t piece_max = 64 * 1024;
  std::size_t room = evidence_file_max;
  while (!content.empty()) {
    std::size_t end = std::min(piece_max, content.size());
    if (end < content.size()) {
      const std::size_t line = content.rfind('\n', end - 1);
      if (line != content.npos) end = line + 1;
      while (line == content.npos && end > 1 && (static_cast<unsigned char>(content[end]) & 0xC0) == 0x80) --end;
    }
    const std::string piece = visible(content.substr(0, end));
    if (piece.size() > room) return write_all(file, "\n[the rest is left out: the file would be too large]\n");
    if (!write_all(file, piece)) return false;
    room -= piece.size();
    content.remove_prefix(end);
  }
  return true;
}

void keep(const EvidenceCommand& command, const std::string& dir, std::string text,
          const std::vector<std::string>& secrets) {
  text += command.known_said;
  redact(text, secrets);
  const std::optional<std::string> trouble = write_evidence(dir, command.file, text);
  if (trouble) log_warning("evidence", "what=" + log_value(*trouble));
}

asio::awaitable<void> keep_one(EvidenceCommand command, std::string dir, std::vector<std::string> secrets) {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (command.asked) {
    std::string said = co_await command.asked();
    co_return keep(command, dir, std::move(said), secrets);
  }
  if (command.child.argv.empty()) co_return keep(command, dir, {}, secrets);
  const bool is_limited = command.child.limit > rules::Duration::zero();
  bound_for_evidence(command.child, is_limited ? std::min(command.child.limit, evidence_limit) : evidence_limit);
  command.child.output_max = std::min(command.child.output_max, evidence_file_max);
  command.child.stragglers = probes::Stragglers::kill;
  const std::string attempted = shown(command.child.argv);
  const probes::ChildResult ended = co_await run_trusted(std::move(command.child));
  std::string text = ended.output;
  const std::string ending = ending_of(ended);
  if (!ending.empty()) text += "\n[" + attempted + ": " + ending + "]\n";
  keep(command, dir, std::move(text), secrets);
}

}  // namespace

asio::awaitable<void> keep_evidence(std::vector<EvidenceCommand> commands, std::string dir,
                                    std::vector<std::string> secrets) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  probes::TaskGroup group(executor);
  for (EvidenceCommand& command : commands) {
    group.spawn("evidence", keep_one(std::move(command), dir, secrets));
  }
  co_await group.join();
}

void bound_for_evidence(probes::ChildSpec& child, rules::Duration limit) {
  constexpr int part = 10;  // of the time
  child.grace = std::min<rules::Duration>(limit / part, std::chrono::seconds(1));
  child.limit = limit - child.grace;
  child.left_at_limit = true;
}

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
  // In no evidence's way: their names do not begin with a point.
  const std::string temporary = dir + "/." + file;
  // What is there already may be somebody's link to another place.
  ::unlink(temporary.c_str());
  const Descriptor out(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, private_file));
  if (!out.is_open()) return failure("create " + path, errno);
  const bool is_written =
      is_read_as_text(file, content) ? write_visibly(out.number(), content) : write_all(out.number(), content);
  if (is_written && ::rename(temporary.c_str(), path.c_str()) == 0) return std::nullopt;
  const int error = errno;
  ::unlink(temporary.c_str());
  return failure("write " + path, error);
}

}  // namespace watcher
