#include "watcher/journal/at_work.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

std::string path_in(const std::string& state_dir) { return state_dir + "/at-work"; }

}  // namespace

std::string line_of(const AtWork& at_work) {
  const probes::ProcessId& process = at_work.process;
  const rules::StepId& step = at_work.step;
  std::ostringstream out;
  out << "at-work boot " << process.boot << " pid " << process.pid << " started " << process.started << " until_ns "
      << at_work.until.time_since_epoch().count() << " limit_ns " << at_work.limit.count() << " rung " << step.rung
      << " section " << static_cast<int>(step.section) << " step " << step.step << " attempt " << step.attempt
      << " incident " << step.incident.text;
  return out.str();
}

std::optional<AtWork> at_work_in(std::string_view text) {
  std::istringstream in(std::string(text.substr(0, text.find('\n'))));
  AtWork found;
  rules::Duration::rep until = 0;
  rules::Duration::rep limit = 0;
  int section = 0;
  std::string name;
  in >> name;
  if (name != "at-work") return std::nullopt;
  in >> name >> found.process.boot >> name >> found.process.pid >> name >> found.process.started >> name >> until;
  in >> name >> limit >> name >> found.step.rung >> name >> section >> name >> found.step.step;
  in >> name >> found.step.attempt >> name >> found.step.incident.text;
  // A group of 1 or less is everybody's.
  const bool is_section = section >= 0 && section <= static_cast<int>(rules::PlanSection::always);
  if (!in || found.process.pid <= 1 || !is_section) return std::nullopt;
  found.until = rules::Instant(rules::Duration(until));
  found.limit = rules::Duration(limit);
  found.step.section = static_cast<rules::PlanSection>(section);
  return found;
}

std::optional<JournalFault> write_at_work(const std::string& state_dir, const AtWork& at_work) {
  const std::string path = path_in(state_dir);
  const std::string advice = "make room and check that the directory can be written";
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, private_file));
  if (!file.is_open()) return file_fault("open " + path, errno, advice);
  // In one piece and over what was there: a kill cannot come in between, and what is left behind the line is not read.
  const std::string line = line_of(at_work) + "\n";
  const ssize_t written = ::pwrite(file.number(), line.data(), line.size(), 0);
  if (written == static_cast<ssize_t>(line.size())) return std::nullopt;
  return file_fault("write " + path, written < 0 ? errno : ENOSPC, advice);
}

std::optional<AtWork> left_at_work(const std::string& state_dir) {
  std::optional<AtWork> found = at_work_in(read_small(path_in(state_dir)));
  if (found && !probes::is_running(found->process)) found.reset();
  return found;
}

}  // namespace watcher
