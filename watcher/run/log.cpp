#include "watcher/run/log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>

#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool needs_quotes(std::string_view value) {
  return value.empty() || visible(value) != value || std::any_of(value.begin(), value.end(), [](char c) {
           return c == ' ' || c == '"' || c == '=' || is_control(c);
         });
}

void append_escaped(std::string& out, char c) {
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else if (is_control(c)) {
    // Control characters of a target must not reach a terminal.
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  } else {
    out += c;
  }
}

}  // namespace

std::string log_value(std::string_view value) {
  if (!needs_quotes(value)) return std::string(value);
  std::string out = "\"";
  for (const char c : value) append_escaped(out, c);
  return visible(out + '"');
}

void start_log(LogOf of) {
  auto logger = std::make_shared<spdlog::logger>("rollbackd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  // JOURNAL_STREAM is set by systemd when standard error goes to its journal, which stamps the lines itself.
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  logger->set_pattern(journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->set_level(of == LogOf::trouble ? spdlog::level::warn : spdlog::level::info);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

std::string log_line(const rules::Note& note) {
  std::string line = "event=" + log_value(note.event);
  for (const auto& [key, value] : note.fields) {
    // What is not so is not said.
    if (!value.empty()) line += " " + key + "=" + log_value(value);
  }
  return line;
}

void log_note(const rules::Note& note) { spdlog::info("{}", log_line(note)); }

void log_tell(const rules::Tell& tell) {
  std::string line =
      fmt::format("event=tell stage={} service={}", rules::to_string(tell.stage), log_value(tell.context.service.text));
  if (!tell.context.incident.empty()) line += " incident=" + log_value(tell.context.incident.text);
  if (tell.outcome) line += fmt::format(" outcome={}", rules::to_string(*tell.outcome));
  spdlog::info("{} title={}", line, log_value(tell.title));
}

void log_info(std::string_view event, std::string_view fields) { spdlog::info("event={} {}", event, fields); }
void log_warning(std::string_view event, std::string_view fields) { spdlog::warn("event={} {}", event, fields); }
void log_error(std::string_view event, std::string_view fields) { spdlog::error("event={} {}", event, fields); }

}  // namespace watcher
