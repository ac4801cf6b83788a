#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <limits>

#include "watcher/cli/command_line.hpp"
#include "watcher/cli/next_steps.hpp"
#include "watcher/cli/open_incidents.hpp"
#include "watcher/cli/status_fields.hpp"
#include "watcher/cli/table.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr rules::Duration watch_pause = std::chrono::seconds(2);
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

std::string number_or_dash(const json::value& object, std::string_view key, std::string_view unit = {}) {
  const double number = number_at(object, key, no_number);
  return std::isnan(number) ? "-" : number_text(number, unit);
}

void print_head(std::ostream& out, const json::value& status) {
  const json::value watcher = object_at(status, "watcher");
  out << text_of(watcher, "name") << ": rollbackd " << text_of(watcher, "version") << ", mode "
      << text_of(watcher, "mode") << ", up " << short_duration(number_at(watcher, "uptime_seconds", 0)) << "\n";
  for (const std::string& reason : texts_at(watcher, "degraded")) out << "degraded: " << reason << "\n";
}

// What a service is besides its state, in words.
std::string flags_of(const json::value& service) {
  const double warming = number_at(service, "warming_up_seconds", no_number);
  std::vector<std::string> words;
  for (std::string& flag : texts_at(service, "flags")) {
    if (flag == "warming_up" && !std::isnan(warming)) flag = "warming up, at most " + short_duration(warming) + " more";
    words.push_back(std::move(flag));
  }
  return joined(words);
}

bool has_flag(const json::value& service, std::string_view flag) {
  const std::vector<std::string> flags = texts_at(service, "flags");
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

// Nobody shall rely on a watcher that is armed, but would do nothing.
std::string state_of(const json::value& service, const std::string& mode, const json::value& incident) {
  const std::string state = text_of(service, "state");
  const std::string phase = text_of(incident, "phase");
  const std::string progress = progress_text(service);
  if (state == "incident" && !phase.empty()) return state + ": " + phase + (progress.empty() ? "" : ", " + progress);
  if (state != "armed") return state;
  if (has_flag(service, "fused") || has_flag(service, "paused") || !flag_at(service, "rollback_ready"))
    return "would not act";
  if (mode == "ask") return "would ask";
  // What went bad after the last look may be another revision's.
  if (mode != "observe" && has_flag(service, "unreadable")) return "would ask";
  return mode == "observe" ? "would not act (mode observe)" : state;
}

// Of several drivers the one that a rollback would go by now; empty: there is one, or none could.
std::string goes_by(const json::value& service) {
  for (const json::value& driver : array_at(service, "drivers")) {
    if (flag_at(driver, "ready")) return text_of(driver, "driver");
  }
  return {};
}

void print_services(std::ostream& out, const json::value& status, const OpenIncidents& incidents) {
  const std::string mode = text_of(object_at(status, "watcher"), "mode");
  Table table({"SERVICE", "REVISION", "STATE", "BAKED", "LAST GOOD", "ROLLBACK"});
  for (const auto& [name, service] : object_at(status, "services")) {
    std::string state = state_of(service, mode, of_service(incidents, std::string(name)));
    // What fires there was given up or is left alone: it would not be acted on.
    if (state == "armed" && fires_unanswered(status, name)) state = "would not act";
    const std::string flags = flags_of(service);
    if (!flags.empty()) state += " (" + flags + ")";
    const std::string baked = short_duration(number_at(service, "baked_seconds", 0)) + "/" +
                              short_duration(number_at(service, "bake_seconds", 0));
    std::string ready = "ready";
    if (const std::string by = goes_by(service); !by.empty()) ready += ", by " + by;
    if (!flag_at(service, "rollback_ready")) ready = "not ready: " + text_of(service, "not_ready_reason");
    table.add({std::string(name), labelled_revision(text_of(service, "revision"), text_of(service, "label")), state,
               baked, labelled_revision(text_of(service, "last_good"), text_of(service, "last_good_label")), ready});
  }
  if (table.empty()) return;
  out << "\n";
  table.print(out);
}

// What is still to be looked at of incidents that are over, and what people do until then.
void print_later(std::ostream& out, const json::value& status) {
  Table table({"LOOKED AT LATER", "SERVICE", "CONDITION", "UNTIL THEN", "INCIDENT"});
  for (const auto& [name, service] : object_at(status, "services")) {
    for (const json::value& one : array_at(service, "later")) {
      const std::string when = text_of(one, "when");
      const std::string text = text_of(one, "text");
      table.add({text_of(one, "due"), std::string(name), when.empty() ? "-" : when, text.empty() ? "-" : text,
                 text_of(one, "incident")});
    }
  }
  if (table.empty()) return;
  out << "\n";
  table.print(out);
}

std::string verdict_of(const json::value& rule) {
  const std::string cause = text_of(rule, "cause");
  return text_of(rule, "verdict") + (cause.empty() ? "" : " (" + cause + ")");
}

std::string progress_of(const json::value& rule) {
  const double to_fire = number_at(rule, "seconds_to_fire", no_number);
  std::string out = text_of(rule, "state");
  if (flag_at(rule, "blind")) out += ", blind";
  if (flag_at(rule, "preexisting")) out += ", pre-existing";
  if (std::isnan(to_fire)) return out;
  return out + ", bad " + short_duration(number_at(rule, "bad_seconds", 0)) + " of " +
         short_duration(number_at(rule, "for_seconds", 0)) + ", fires in " + short_duration(to_fire);
}

void print_rules(std::ostream& out, const json::value& status) {
  Table table({"RULE", "SERVICE", "SEVERITY", "VERDICT", "VALUE", "THRESHOLD", "STATE"});
  for (const auto& [name, rule] : object_at(status, "rules")) {
    const std::string unit = text_of(rule, "unit");
    table.add({std::string(name), text_of(rule, "service"), text_of(rule, "severity"), verdict_of(rule),
               number_or_dash(rule, "value", unit), number_or_dash(rule, "threshold", unit), progress_of(rule)});
  }
  if (table.empty()) return;
  out << "\n";
  table.print(out);
}

void print_signals(std::ostream& out, const json::value& status) {
  Table table({"SIGNAL", "VALUE", "COUNT", "FROM"});
  for (const auto& [name, signal] : object_at(status, "signals")) {
    const std::string unknown = text_of(signal, "unknown");
    const std::string value = number_or_dash(signal, "value", text_of(signal, "unit"));
    table.add({std::string(name), unknown.empty() ? value : "unknown (" + unknown + ")",
               number_or_dash(signal, "count"), text_of(signal, "taken")});
  }
  if (table.empty()) return;
  out << "\n";
  table.print(out);
}

std::string wrong_with(const json::value& probe) {
  const double unread = number_at(probe, "unread_lines", 0);
  if (!text_of(probe, "error").empty() || unread == 0) return text_of(probe, "error");
  return "up, but " + number_text(unread) + " lines of its page cannot be read";
}

void print_probes(std::ostream& out, const json::value& status) {
  Table table({"PROBE", "UP", "LAST SEEN", "ERROR"});
  for (const auto& [name, probe] : object_at(status, "probes")) {
    const double up = number_at(probe, "up", -1);
    const std::string word = up < 0 ? "unknown" : up > 0 ? "up" : "down";
    const std::string seen = text_of(probe, "last_seen");
    table.add({std::string(name), word, seen.empty() ? "never" : seen, wrong_with(probe)});
  }
  if (table.empty()) return;
  out << "\n";
  table.print(out);
}

void print_status(std::ostream& out, const json::value& status, const OpenIncidents& incidents) {
  print_head(out, status);
  print_services(out, status, incidents);
  print_later(out, status);
  print_rules(out, status);
  print_signals(out, status);
  print_probes(out, status);
  std::vector<std::string> steps = next_steps(status, incidents);
  for (std::string& line : unanswered(status)) steps.push_back(std::move(line));
  if (!steps.empty()) out << "\n";
  for (const std::string& step : steps) out << step << "\n";
}

// A file or a pipe keeps every look, one below the other.
void part_looks(const CommandLine& line, bool first) {
  if (line.terminal().clear) return line.terminal().clear();
  if (!first) line.out() << "\n";
}

int show_status(const CommandLine& line, bool watch) {
  bool first = true;
  do {
    const Asked asked = ask_or_tell(line, "GET", "/api/v1/status");
    if (asked.exit_code != exit_fine) return asked.exit_code;
    const OpenIncidents incidents = line.json() ? OpenIncidents() : open_incidents(line, asked.body);
    if (watch && !line.json()) part_looks(line, first);
    first = false;
    if (line.json())
      line.out() << asked.text << "\n";
    else
      print_status(line.out(), asked.body, incidents);
    line.out().flush();
  } while (watch && line.terminal().wait(watch_pause));
  return exit_fine;
}

}  // namespace

void add_status_commands(CLI::App& app, CommandLine& line) {
  const auto watch = std::make_shared<bool>(false);  // shared with the action, which outlives this function
  CLI::App* const status =
      line.add(app, "status", "what is so now: services and what runs, rules and how far they are, probes",
               [&line, watch] { return show_status(line, *watch); });
  status->add_flag("--watch", *watch, "look again every two seconds, until interrupted");
}

}  // namespace watcher
