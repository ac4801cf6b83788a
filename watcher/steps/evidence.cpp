#include "watcher/steps/evidence.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "probes/net/task_group.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/journal/files.hpp"
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

asio::awaitable<void> keep_one(EvidenceCommand command, std::string dir, std::vector<std::string> secrets) {
  co_await asio::this_coro::throw_if_cancelled(false);
  command.child.limit = std::min(command.child.limit, evidence_limit);
  command.child.grace = std::min<rules::Duration>(command.child.grace, std::chrono::seconds(1));
  command.child.output_max = std::min(command.child.output_max, evidence_file_max);
  command.child.stragglers = probes::Stragglers::kill;
  const std::string attempted = shown(command.child.argv);
  const probes::ChildResult ended = co_await run_trusted(std::move(command.child));
  std::string text = ended.output;
  const std::string ending = ending_of(ended);
  if (!ending.empty()) text += "\n[" + attempted + ": " + ending + "]\n";
  redact(text, secrets);
  const std::optional<std::string> trouble = write_evidence(dir, command.file, text);
  if (trouble) log_warning("evidence", "what=" + log_value(*trouble));
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
  if (write_all(out.number(), content) && ::rename(temporary.c_str(), path.c_str()) == 0) return std::nullopt;
  const int error = errno;
  ::unlink(temporary.c_str());
  return failure("write " + path, error);
}

}  // namespace watcher
