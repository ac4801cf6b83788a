#include "watcher/config/step_kinds.hpp"

#include <array>

#include "probes/ask/page_keys.hpp"
#include "probes/key_rows.hpp"
#include "probes/net/user.hpp"
#include "watcher/config/http_line.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/config/toml_text.hpp"
#include "watcher/steps/evidence.hpp"

namespace watcher {

namespace {

using probes::Given;
using probes::Key;
using probes::key;
using probes::Kind;
using rules::StepSpec;

constexpr rules::Duration sleep_most = std::chrono::hours(24);

// Keys that fill what the step does, in a table whose others fill the step.
template <class What>
constexpr Key of_what(std::span<const Key> keys) {
  Key out;
  out.kind = Kind::group;
  out.keys = keys;
  out.inside = [](void* step) -> void* { return &std::get<What>(static_cast<StepSpec*>(step)->what); };
  out.look = [](const void* step) -> const void* { return &std::get<What>(static_cast<const StepSpec*>(step)->what); };
  return out;
}

constexpr std::array surroundings{
    key<Kind::folder, &StepSpec::dir>("dir", "The folder in which it runs.").when_left_out("the service's"),
    key<Kind::string, &StepSpec::user>("user", "The user that it runs as.")
        .checked(probes::wrong_user)
        .when_left_out("our own"),
    key<Kind::texts, &StepSpec::env>("env", "What its environment has besides ours.").checked(probes::wrong_variable),
    key<Kind::path, &StepSpec::stdin_file>("stdin", "The file that it reads.").when_left_out("closed"),
};

constexpr std::array run_keys{
    key<Kind::argv, &rules::RunStep::argv>("run", "The command; {to} and {from} stand for revisions."),
};
constexpr std::array run_rows{
    of_what<rules::RunStep>(run_keys),
    probes::rows<StepSpec>(surroundings),
    key<Kind::path, &StepSpec::stdout_file>(
        "stdout",
        "The file that its output goes to, once it has succeeded; of one that failed it is kept as FILE.failed.")
        .when_left_out("kept"),
};

std::string wrong_file(const std::string& file) {
  if (is_evidence_name(file)) return {};
  return "expected a file's name of letters, digits, . _ - and without folders, such as \"logs.txt\"; it goes into the "
         "incident's evidence/";
}
constexpr std::array capture_keys{
    key<Kind::string, &rules::CaptureStep::file>("capture", "The file in the incident's evidence/.")
        .checked(wrong_file),
    key<Kind::argv, &rules::CaptureStep::argv>("run", "The command whose output goes there.")
        .required("say whose output is captured, such as run = [\"journalctl\", \"-u\", \"web\"]"),
};
constexpr std::array capture_rows{of_what<rules::CaptureStep>(capture_keys), probes::rows<StepSpec>(surroundings)};

constexpr probes::Own http_line{
    http_line_type, "\"POST http://127.0.0.1:3001/api/pause\"",
    [](TableReader& reader, const Key& key, void* object) {
      read_http_line(reader, key, *static_cast<rules::HttpStep*>(object));
    },
    [](const void* object) { return http_line_toml(*static_cast<const rules::HttpStep*>(object)); }};
constexpr std::array http_keys{
    own_key("http", http_line, "The request that is made."),
    key<Kind::headers, &rules::HttpStep::headers>("header", "Headers that are sent."),
    key<Kind::body, &rules::HttpStep::body>("body", "What is sent."),
    key<Kind::string, &rules::HttpStep::content_type>("content_type", "What the body is.")
        .when_left_out("\"application/json\" for a JSON body"),
    probes::table<&rules::HttpStep::expect>("expect", probes::expect_keys, "What the answer must be."),
};
constexpr std::array http_rows{of_what<rules::HttpStep>(http_keys)};
void settle_http(void* object, Given& given) {
  const auto& step = std::get<rules::HttpStep>(static_cast<StepSpec*>(object)->what);
  const bool looks = !step.expect.json.empty() || !step.expect.body.empty();
  if (step.method == "HEAD" && looks) given.error("http", "an answer to HEAD has no body to look into; write GET");
}

void read_addressee(TableReader& reader, const Key& key, void* object) {
  const std::string name = reader.string(key.name).value_or("");
  reader.loading().notifiers_used.push_back({name, reader.place(key.name)});
  static_cast<rules::NotifyStep*>(object)->notifier = rules::NotifierName(name);
}
std::string addressee_toml(const void* object) {
  return toml_string(static_cast<const rules::NotifyStep*>(object)->notifier.text);
}
constexpr probes::Own addressee{"a notifier's name", "\"team\"", read_addressee, addressee_toml};
constexpr std::array notify_keys{
    own_key("notify", addressee, "The notifier that is told."),
    key<Kind::string, &rules::NotifyStep::explanation, &rules::Explanation::text>(
        "text", "What those who are told are to read."),
    key<Kind::string, &rules::NotifyStep::explanation, &rules::Explanation::impact>("impact", "What users notice."),
    key<Kind::string, &rules::NotifyStep::explanation, &rules::Explanation::runbook>(
        "runbook", "Where those who are told read on: an address or a place."),
    key<Kind::string, &rules::NotifyStep::explanation, &rules::Explanation::status_page>(
        "status_page", "Where users are told: an address."),
};
constexpr std::array notify_rows{of_what<rules::NotifyStep>(notify_keys)};

void read_target(TableReader& reader, const Key& key, void* object) {
  auto& out = *static_cast<rules::SwitchStep*>(object);
  const std::string target = reader.string(key.name).value_or("last-good");
  if (target == "last-good") return;
  out.kind = target == "at-backup" ? rules::SwitchTargetKind::at_backup : rules::SwitchTargetKind::revision;
  if (out.kind == rules::SwitchTargetKind::at_backup) return;
  out.revision = rules::Revision(target);
  if (!rules::is_safe_in_argv(out.revision))
    reader.error(key.name, "expected \"last-good\", \"at-backup\" or a revision, found \"" + target + "\"");
}
std::string target_toml(const void* object) {
  const auto& step = *static_cast<const rules::SwitchStep*>(object);
  switch (step.kind) {
    case rules::SwitchTargetKind::last_good:
      return toml_string("last-good");
    case rules::SwitchTargetKind::at_backup:
      return toml_string("at-backup");
    case rules::SwitchTargetKind::revision:
      return toml_string(step.revision.text);
  }
  return {};
}
constexpr probes::Own target{"\"last-good\", \"at-backup\" or a revision", "\"last-good\"", read_target, target_toml};
constexpr std::array switch_keys{
    own_key("switch", target, "What is switched to; a revision is an id, its first digits, a tag or a branch.")};
constexpr std::array switch_rows{of_what<rules::SwitchStep>(switch_keys)};

constexpr std::array wait_keys{
    key<Kind::condition, &rules::WaitStep::until>("wait", "What is waited for."),
    key<Kind::duration, &rules::WaitStep::hold>("for", "How long it must be so without a break."),
};
constexpr std::array wait_rows{of_what<rules::WaitStep>(wait_keys)};

constexpr std::array sleep_keys{
    key<Kind::duration, &rules::SleepStep::length>("sleep", "How long nothing is done, at most 24h.")
        .at_least(std::chrono::milliseconds(1)),
};
constexpr std::array sleep_rows{of_what<rules::SleepStep>(sleep_keys)};
void settle_sleep(void* object, Given& given) {
  if (std::get<rules::SleepStep>(static_cast<StepSpec*>(object)->what).length > sleep_most)
    given.error("sleep", "is longer than a day");
}

constexpr std::array ask_keys{
    key<Kind::string, &rules::AskStep::question>("ask", "What people are asked.").also_empty()};
constexpr std::array ask_rows{of_what<rules::AskStep>(ask_keys)};

template <class What>
constexpr probes::Variety step(std::string_view word, std::string_view doc, std::span<const Key> keys,
                               void (*settle)(void*, Given&) = nullptr) {
  return {word,
          doc,
          keys,
          settle,
          [](void* object) {
            static_cast<StepSpec*>(object)->what.template emplace<What>();
            return object;
          },
          [](const void* object) {
            return std::holds_alternative<What>(static_cast<const StepSpec*>(object)->what) ? object : nullptr;
          }};
}

constexpr std::array kinds{
    step<rules::CaptureStep>("capture", "Keeps a command's output as evidence.", capture_rows),
    step<rules::RunStep>("run", "Runs a command.", run_rows),
    step<rules::HttpStep>("http", "Makes a request.", http_rows, settle_http),
    step<rules::NotifyStep>("notify", "Tells people.", notify_rows),
    step<rules::SwitchStep>("switch", "Switches to another revision.", switch_rows),
    step<rules::WaitStep>("wait", "Waits until something is so.", wait_rows),
    step<rules::SleepStep>("sleep", "Does nothing for a while.", sleep_rows, settle_sleep),
    step<rules::AskStep>("ask", "Asks people whether to go on.", ask_rows),
    probes::later_variety("restore"),
};

}  // namespace

std::span<const probes::Variety> step_kinds() { return kinds; }

}  // namespace watcher
