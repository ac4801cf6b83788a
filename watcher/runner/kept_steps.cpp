#include "watcher/runner/kept_steps.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "watcher/drivers/notes_file.hpp"
#include "watcher/journal/files.hpp"
#include "watcher/runner/wire.hpp"

namespace watcher {

namespace {

namespace fs = std::filesystem;

constexpr const char* begun = "begun";

}  // namespace

KeptSteps::KeptSteps(std::string folder) : folder_(std::move(folder)) {}

// Of plain characters alone: why_malformed() has looked at the incident's name.
std::string KeptSteps::path_of(const rules::StepId& step) const {
  return folder_ + "/" + step.incident.text + "." + std::to_string(step.rung) + "." +
         std::string(to_string(step.section)) + "." + std::to_string(step.step) + "." + std::to_string(step.attempt);
}

std::optional<std::string> KeptSteps::write(const rules::StepId& step, const std::string& line) const {
  return write_notes(path_of(step), line);
}

std::optional<std::string> KeptSteps::begin(const rules::StepId& step) {
  forget_old();
  return write(step, begun);
}

std::optional<std::string> KeptSteps::end(const rules::StepId& step, const rules::StepResult& result) {
  return write(step, line_of(result));
}

std::optional<rules::StepResult> KeptSteps::of(const rules::StepId& step) const {
  const std::optional<std::string> text = read_whole(path_of(step));
  if (!text) return std::nullopt;
  if (std::optional<rules::StepResult> known = result_in(*text)) return known;
  rules::StepResult unseen;
  unseen.status = rules::StepStatus::interrupted;
  unseen.unseen = true;
  unseen.detail = "the runner was ended while it ran, and nobody saw how it ended";
  return unseen;
}

void KeptSteps::forget_old() const {
  std::error_code failure;
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, failure)) {
    std::error_code unknown;
    found.emplace_back(entry.last_write_time(unknown), entry.path());
  }
  if (found.size() < steps_kept_max) return;
  std::sort(found.begin(), found.end());
  found.resize(found.size() - steps_kept_max + 1);
  for (const auto& [written, path] : found) fs::remove(path, failure);
}

}  // namespace watcher
