#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/engine/commands.hpp"
#include "rules/engine/events.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// What watcher and runner say to each other: JSON, a document a line, a connection for each question. Nothing in it is
// a command line: the watcher names what the runner's own configuration has.

inline constexpr int wire_version = 1;                             // another one is told, never guessed at
inline constexpr std::size_t question_max = 512 * 1024;            // bytes: a thousand revisions
inline constexpr std::size_t runner_reply_max = 16 * 1024 * 1024;  // bytes: a step's output, escaped

enum class Asks {
  identify,
  ready,  // the driver alone
  still_ready,
  plan_ready,  // the steps of one action, or without one those of the service's plans
  meaning_of,
  taken_back,
  taken_away,
  alike,
  advice,
  schema,
  perform,  // is answered when the step has ended; a step that was asked for before is not begun again
  result,   // the same, of a step that may be at work; never begins one
  cancel,
  reload,
};

// A question; which of the fields count depends on what is asked.
struct Question {
  int version = wire_version;
  std::string config{};  // the hash of the file that the watcher has read
  Asks asks = Asks::identify;
  rules::ServiceName service{};
  bool patient = false;
  std::optional<rules::Revision> to{};
  rules::Revision from{};
  std::string name{};
  std::vector<std::string> files{};
  std::vector<rules::Revision> known{};
  std::vector<rules::Revision> named{};
  std::uint32_t most = 0;
  rules::ActionName action{};
  std::string plan{};  // the hash of its fingerprint
  rules::StepId step{};
  rules::StepContext context{};
  std::uint32_t beside = 0;  // captures that follow it and may be made at once
};

enum class Says {
  done,
  started,        // a child of the step: more follows
  refused,        // with `why`; nothing was begun
  unknown,        // of a step that was never begun
  other_version,  // the two halves are of different releases
  other_config,   // they have read different files
  unreachable,    // never on the wire: nobody answered, and nothing was begun
  lost,           // never on the wire: the connection ended before the answer
};

// A child that may change something.
struct ChildAtWork {
  int pid = 0;
  rules::Duration limit{};
};

struct RunnerReply {
  int version = wire_version;
  Says says = Says::done;
  std::string why{};  // for people
  std::optional<rules::RevisionRead> read{};
  std::optional<rules::ReadinessRead> readiness{};
  std::optional<NameMeans> means{};
  std::vector<std::string> lines{};
  std::vector<std::vector<rules::Revision>> groups{};
  bool asks_for_known = false;
  std::string text{};  // the schema; what a switch left behind; the hash of what was read
  std::optional<rules::StepResult> result{};
  std::optional<ChildAtWork> child{};
};

// One line, without its end.
std::string line_of(const Question& question);
std::string line_of(const RunnerReply& reply);
std::string line_of(const rules::StepResult& result);
// nullopt: it is none.
std::optional<Question> question_in(std::string_view line);
std::optional<RunnerReply> reply_in(std::string_view line);
std::optional<rules::StepResult> result_in(std::string_view line);

// Why a question is refused by its form alone, whatever is configured, for people; empty: it is not. Names are plain,
// revisions safe in a command line, texts visible and bounded.
std::string why_malformed(const Question& question);
// The text as why_malformed() lets it pass: in one line, what cannot be seen made visible, cut off at the limit.
std::string plain_text(std::string_view text);

}  // namespace watcher
