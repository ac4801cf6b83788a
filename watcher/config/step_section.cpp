#include "watcher/config/step_section.hpp"

#include <algorithm>
#include <array>

#include "watcher/steps/evidence.hpp"

namespace watcher {

namespace {

constexpr rules::Duration http_timeout = std::chrono::seconds(10);
constexpr rules::Duration capture_timeout = std::chrono::seconds(10);
constexpr rules::Duration notify_timeout = std::chrono::seconds(10);
constexpr rules::Duration run_timeout = std::chrono::minutes(5);
constexpr rules::Duration switch_timeout = std::chrono::minutes(30);
constexpr rules::Duration wait_timeout = std::chrono::minutes(5);
constexpr rules::Duration ask_timeout = std::chrono::minutes(30);
constexpr rules::Duration sleep_most = std::chrono::hours(24);
constexpr std::int64_t retries_most = 100;

enum class StepKind { run, http, notify, capture, switch_to, wait, sleep, ask };

struct StepWord {
  std::string_view word;
  StepKind kind;
};

// In the order in which they are looked for: a capture has a `run` besides.
constexpr std::array<StepWord, 8> step_words{{{"capture", StepKind::capture},
                                              {"run", StepKind::run},
                                              {"http", StepKind::http},
                                              {"notify", StepKind::notify},
                                              {"switch", StepKind::switch_to},
                                              {"wait", StepKind::wait},
                                              {"sleep", StepKind::sleep},
                                              {"ask", StepKind::ask}}};

struct Defaults {
  rules::Duration timeout{};
  bool proceeds = false;
};

Defaults defaults_of(StepKind kind, StepPosition position) {
  const bool afterwards = position == StepPosition::afterwards;
  const bool early = position == StepPosition::before_switch;
  switch (kind) {
    case StepKind::notify:
      return {notify_timeout, true};
    case StepKind::capture:
      return {capture_timeout, true};
    case StepKind::http:
      return {http_timeout, true};
    case StepKind::run:
      return {run_timeout, afterwards || early};
    case StepKind::switch_to:
      return {switch_timeout, false};
    case StepKind::wait:
      return {wait_timeout, afterwards};
    case StepKind::sleep:
      return {rules::Duration::zero(), afterwards || early};
    case StepKind::ask:
      return {ask_timeout, afterwards};
  }
  return {};
}

// "POST http://...": a method, blanks, an address. Without a method it is POST.
rules::HttpStep read_http(TableReader& reader) {
  rules::HttpStep out;
  if (std::optional<Text> line = reader.text("http")) {
    const std::size_t blank = line->value.find(' ');
    if (blank != std::string::npos) {
      out.method = line->value.substr(0, blank);
      line->value.erase(0, line->value.find_first_not_of(' ', blank));
    }
    const bool method_known = nearest(out.method, {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}) == out.method;
    if (!method_known) {
      reader.error("http", "expected \"METHOD URL\" such as \"POST http://127.0.0.1:3001/api/queue/pause\"");
    } else {
      const Place place = blank == std::string::npos || line->secret
                              ? reader.place("http")
                              : reader.loading().source.inside_string(reader.place("http"), blank);
      check_url(reader.loading(), place, reader.owner("http"), line->value);
    }
    out.url = *std::move(line);
  }
  out.headers = read_headers(reader);
  read_body(reader, out.body, out.content_type);
  bool expects = false;
  out.expect = read_expectation(reader, expects);
  return out;
}

rules::CaptureStep read_capture(TableReader& reader, const std::string& dir) {
  rules::CaptureStep out;
  out.file = reader.string("capture").value_or("");
  if (!is_evidence_name(out.file))
    reader.error("capture",
                 "expected a file's name of letters, digits, . _ - and without folders, such as \"logs.txt\"; it goes "
                 "into the incident's evidence/");
  if (!reader.has("run"))
    reader.missing("run", "say whose output is captured, such as run = [\"journalctl\", \"-u\", \"web\"]");
  out.argv = reader.argv("run", dir).value_or(std::vector<std::string>());
  return out;
}

rules::SwitchStep read_switch(TableReader& reader) {
  const std::string target = reader.string("switch").value_or("last-good");
  if (target == "last-good") return {rules::SwitchTargetKind::last_good, {}};
  if (target == "at-backup") return {rules::SwitchTargetKind::at_backup, {}};
  rules::SwitchStep out{rules::SwitchTargetKind::revision, rules::Revision(target)};
  if (!rules::is_safe_in_argv(out.revision)) {
    reader.error("switch", "expected \"last-good\", \"at-backup\" or a revision, found \"" + target + "\"");
  }
  return out;
}

rules::WaitStep read_wait(TableReader& reader) {
  rules::WaitStep out;
  out.until = reader.condition("wait");
  out.hold = reader.duration("for").value_or(rules::Duration::zero());
  return out;
}

rules::SleepStep read_sleep(TableReader& reader) {
  const rules::Duration length =
      reader.duration("sleep", std::chrono::milliseconds(1)).value_or(rules::Duration::zero());
  if (length > sleep_most) reader.error("sleep", "is longer than a day");
  return {length};
}

rules::NotifyStep read_notify(TableReader& reader) {
  const std::string name = reader.string("notify").value_or("");
  reader.loading().notifiers_used.push_back({name, reader.place("notify")});
  return {rules::NotifierName(name)};
}

void read_what(TableReader& reader, StepKind kind, const std::string& dir, rules::StepSpec& out) {
  switch (kind) {
    case StepKind::run:
      out.what = rules::RunStep{reader.argv("run", dir).value_or(std::vector<std::string>())};
      return;
    case StepKind::http:
      out.what = read_http(reader);
      return;
    case StepKind::notify:
      out.what = read_notify(reader);
      return;
    case StepKind::capture:
      out.what = read_capture(reader, dir);
      return;
    case StepKind::switch_to:
      out.what = read_switch(reader);
      return;
    case StepKind::wait:
      out.what = read_wait(reader);
      return;
    case StepKind::sleep:
      out.what = read_sleep(reader);
      return;
    case StepKind::ask:
      out.what = rules::AskStep{reader.string("ask").value_or("")};
      return;
  }
}

bool runs_command(StepKind kind) { return kind == StepKind::run || kind == StepKind::capture; }

// Keys that a kind does not know are unknown keys of that step.
void read_surroundings(TableReader& reader, StepKind kind, rules::StepSpec& out) {
  if (runs_command(kind)) {
    out.user = reader.string("user").value_or("");
    out.env = reader.text_map("env").value_or(std::map<std::string, Text>());
    out.stdin_file = reader.path("stdin").value_or("");
    if (kind == StepKind::run) out.stdout_file = reader.path("stdout").value_or("");
  }
  out.retry = static_cast<int>(reader.integer("retry", 0, retries_most).value_or(0));
  out.idempotent = reader.boolean("idempotent").value_or(false);
}

std::optional<StepKind> kind_of(const toml::table& table) {
  for (const StepWord& known : step_words) {
    if (table.contains(known.word)) return known.kind;
  }
  return std::nullopt;
}

// One step does one thing; `run` belongs to a capture.
void check_single(TableReader& reader, StepKind kind) {
  for (const StepWord& other : step_words) {
    const bool belongs = kind == StepKind::capture && other.kind == StepKind::run;
    if (other.kind == kind || belongs || !reader.has(other.word)) continue;
    reader.error(other.word, "a step does one thing; write another step for it");
    reader.node(other.word);
  }
}

void refuse_unclear(TableReader& reader) {
  reader.refuse_later(Vocabulary::step_key);
  if (reader.has("restore")) return;
  std::vector<std::string> words;
  for (const StepWord& known : step_words) words.emplace_back(known.word);
  std::string hint;
  for (const auto& [key, value] : reader.table()) {
    if (hint.empty()) hint = did_you_mean(key.str(), words);
  }
  reader.loading().findings.error(
      reader.place(),
      reader.owner() + ": does nothing; give it one of run, http, notify, capture, switch, wait, sleep, ask" + hint);
}

}  // namespace

bool is_switch(const toml::table& step) { return kind_of(step) == StepKind::switch_to; }

std::optional<rules::StepSpec> read_step(Loading& loading, const toml::table& table, const std::string& owner,
                                         StepPosition position) {
  TableReader reader(loading, table, owner);
  const std::optional<StepKind> kind = kind_of(table);
  if (!kind) {
    refuse_unclear(reader);
    return std::nullopt;
  }
  const Defaults defaults = defaults_of(*kind, position);
  rules::StepSpec out;
  if (runs_command(*kind)) out.dir = reader.path("dir").value_or("");
  check_single(reader, *kind);
  read_what(reader, *kind, out.dir, out);
  read_surroundings(reader, *kind, out);
  out.timeout = reader.duration("timeout", std::chrono::milliseconds(1)).value_or(defaults.timeout);
  if (const auto* sleep = std::get_if<rules::SleepStep>(&out.what); sleep != nullptr && !reader.has("timeout")) {
    out.timeout = sleep->length;
  }
  if (const auto* wait = std::get_if<rules::WaitStep>(&out.what); wait != nullptr && wait->hold > out.timeout) {
    reader.error(reader.has("timeout") ? "timeout" : "for",
                 "the step ends after " + rules::to_string(out.timeout) + ", before it could have held for " +
                     rules::to_string(wait->hold) + "; give it a longer timeout");
  }
  out.on_failure = reader
                       .choice<rules::OnFailure>(
                           "on_failure", {{"abort", rules::OnFailure::abort}, {"continue", rules::OnFailure::proceed}})
                       .value_or(defaults.proceeds ? rules::OnFailure::proceed : rules::OnFailure::abort);
  reader.refuse_later(Vocabulary::step_key);
  reader.finish();
  return out;
}

}  // namespace watcher
