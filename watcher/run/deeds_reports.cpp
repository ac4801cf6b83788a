#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <functional>
#include <sstream>
#include <utility>

#include "watcher/report/report.hpp"
#include "watcher/run/deeds.hpp"
#include "watcher/run/log.hpp"

// The reports of incidents, one after the other and behind everything else.

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> evidence_files(const std::string& state_dir, const rules::IncidentId& incident) {
  std::vector<std::string> files;
  std::error_code error;
  const std::string dir = state_dir + "/incidents/" + incident.text + "/evidence";
  for (const auto& entry : std::filesystem::directory_iterator(dir, error)) {
    files.push_back(entry.path().filename().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

asio::awaitable<void> Deeds::write_reports() {
  for (;;) {
    while (reports_due_.empty()) {
      co_await report_timer_.async_wait(as_result);
    }
    rules::IncidentId incident = *reports_due_.begin();
    reports_due_.erase(reports_due_.begin());
    writing_report_ = true;
    co_await write_report(std::move(incident));
    writing_report_ = false;
    report_timer_.cancel();
  }
}

asio::awaitable<void> Deeds::reports_written() {
  while (writing_report_ || !reports_due_.empty()) {
    co_await report_timer_.async_wait(as_result);
  }
}

asio::awaitable<void> Deeds::write_report(rules::IncidentId id) {
  std::optional<rules::IncidentRecord> incident = co_await means_.journal.incident(id);
  if (!incident) co_return;
  ReportInput input;
  input.steps = co_await means_.journal.steps(id);
  const std::vector<rules::LedgerRecord> ledger = co_await means_.journal.ledger();
  for (const rules::LedgerRecord& record : ledger) {
    if (record.service == incident->service) input.ledger.push_back(record);
  }
  const auto driver = tools_.drivers.find(incident->service);
  if (incident->switched && driver != tools_.drivers.end()) input.notes = lines_of(driver->second->aftermath());
  input.incident = std::move(*incident);
  input.watcher_name = tools_.config->watcher.name;
  input.version = ROLLBACKD_VERSION;
  const std::string state_dir = tools_.config->watcher.state_dir;
  input.evidence_files = evidence_files(state_dir, id);
  std::string problem;
  auto write = [&](Journal&) { problem = watcher::write_report(state_dir, input); };
  std::function<void(Journal&)> work = std::ref(write);
  const bool written = co_await means_.journal.use(work);
  if (!written) problem = "the journal's thread has too much to do";
  if (!problem.empty()) log_error("report", "incident=" + log_value(id.text) + " what=" + log_value(problem));
}

}  // namespace watcher
