#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <functional>
#include <sstream>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "watcher/report/report.hpp"
#include "watcher/run/deeds.hpp"
#include "watcher/run/log.hpp"
#include "watcher/samples/sample_files.hpp"

// The reports of incidents, one after the other and behind everything else.

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t taken_back_max = 20;                       // lines
constexpr std::size_t samples_max = 48 * 1024 * 1024;            // bytes of polls in memory: more are drawn nowhere
constexpr rules::Duration drawn_within = std::chrono::hours(1);  // of its end; later its samples may be gone
constexpr rules::Duration drawing_limit = std::chrono::seconds(20);

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

std::vector<ReportInput::EvidenceFile> evidence_files(const std::string& state_dir, const rules::IncidentId& incident) {
  std::vector<ReportInput::EvidenceFile> files;
  std::error_code error;
  const std::string dir = state_dir + "/incidents/" + incident.text + "/evidence";
  for (const auto& entry : std::filesystem::directory_iterator(dir, error)) {
    std::error_code unknown;
    const std::uintmax_t bytes = entry.file_size(unknown);
    files.push_back({entry.path().filename().string(), unknown ? 0 : bytes});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return files;
}

}  // namespace

asio::awaitable<void> Deeds::write_reports() {
  for (;;) {
    while (reports_due_.empty()) {
      co_await report_timer_.async_wait(as_result);
      // What a report asks of a driver or draws has it that being cancelled is not thrown any more.
      const bool ended = co_await probes::cancelled();
      if (ended) co_return;
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

// On a thread of its own: reading back samples takes a while where there are many.
asio::awaitable<Around> Deeds::look_around(const rules::IncidentRecord& incident) {
  struct Drawn {
    std::shared_ptr<const Config> config;
    rules::IncidentRecord incident;
    Around around;
  };
  if (means_.record_samples) co_await means_.record_samples();
  auto drawn = std::make_shared<Drawn>(Drawn{tools_.config, incident, {}});
  auto work = [drawn] {
    const rules::CoreConfig& core = drawn->config->core;
    const SampleFiles files(drawn->config->watcher.state_dir, drawn->config->watcher.record);
    const std::set<rules::ProbeName> probes = plotted_probes(core, drawn->incident);
    if (probes.empty()) return;
    const std::vector<rules::Poll> polls = files.read(polls_since(core, drawn->incident), samples_max, probes);
    drawn->around = around(core, drawn->incident, polls);
  };
  const bool done = co_await drawing_.run(std::move(work), drawing_limit);
  Around out;
  if (done) out = std::move(drawn->around);
  co_return out;
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
  const std::shared_ptr<Driver> asked =
      tools_.equipment->driver_of(incident->service);  // shared: a reload exchanges it
  if (asked) {
    if (incident->switched) input.notes = lines_of(asked->aftermath());
    const bool has_both = incident->closed && !incident->from.empty() && !incident->to.empty();
    if (has_both) input.taken_back = co_await asked->taken_back(incident->from, incident->to, taken_back_max);
  }
  const bool is_fresh = incident->closed && means_.clock.now() - *incident->closed < drawn_within;
  if (is_fresh) input.around = co_await look_around(*incident);
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
