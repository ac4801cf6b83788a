#include "watcher/runner/wire.hpp"

#include <algorithm>
#include <boost/mp11/list.hpp>
#include <boost/pfr/tuple_size.hpp>

#include "watcher/journal/described.hpp"
#include "watcher/journal/fields.hpp"
#include "watcher/report/visible.hpp"

namespace rules {

BOOST_DESCRIBE_STRUCT(RevisionRead, (),
                      (service, started, ended, revision, error, instances_differ, instance_absent, schema, by, stopped,
                       label, unfinished, broken_off))
BOOST_DESCRIBE_STRUCT(NamedRevision, (), (name, revision, why_not))
BOOST_DESCRIBE_STRUCT(DriverReadiness, (), (driver, why_not))
BOOST_DESCRIBE_STRUCT(ReadinessRead, (), (service, at, ready, reason, names, by_hand, alike, drivers))
BOOST_DESCRIBE_STRUCT(StepResult, (), (status, exit_code, detail, output, output_dropped, nothing_begun, unseen))

}  // namespace rules

namespace watcher {

BOOST_DESCRIBE_ENUM(Asks, identify, ready, still_ready, plan_ready, meaning_of, taken_back, taken_away, alike, advice,
                    schema, perform, result, cancel, reload)
BOOST_DESCRIBE_ENUM(Says, done, started, refused, unknown, other_version, other_config, unreachable, lost)
BOOST_DESCRIBE_STRUCT(NameMeans, (), (knows_names, meant, why_none))
BOOST_DESCRIBE_STRUCT(Question, (),
                      (version, config, asks, service, patient, to, from, name, files, known, named, most, action, plan,
                       step, context, beside))
BOOST_DESCRIBE_STRUCT(ChildAtWork, (), (pid, limit))
BOOST_DESCRIBE_STRUCT(RunnerReply, (),
                      (version, says, why, read, readiness, means, lines, groups, asks_for_known, text, result, child))

namespace {

// A field that is told of nowhere above would be lost between the halves.
template <class T>
constexpr bool is_whole =
    boost::pfr::tuple_size_v<T> ==
    boost::mp11::mp_size<boost::describe::describe_members<T, boost::describe::mod_public>>::value;
static_assert(is_whole<rules::RevisionRead> && is_whole<rules::NamedRevision> && is_whole<rules::ReadinessRead> &&
              is_whole<rules::DriverReadiness>);
static_assert(is_whole<rules::StepResult> && is_whole<rules::StepId> && is_whole<rules::StepContext>);
static_assert(is_whole<NameMeans> && is_whole<ChildAtWork> && is_whole<Question> && is_whole<RunnerReply>);

constexpr std::size_t text_max = 1024;  // bytes of a reason
constexpr std::size_t word_max = 200;   // of a name, a schema
constexpr std::size_t path_max = 4096;
constexpr std::size_t hash_length = 64;  // digits

bool is_plain(std::string_view name) {
  constexpr std::string_view others = "._-";
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto is_one = [&](char c) { return is_letter(c) || others.find(c) != others.npos; };
  return name.size() <= word_max && (name.empty() || (name.front() != '.' && name.front() != '-')) &&
         std::all_of(name.begin(), name.end(), is_one);
}

bool is_hash(std::string_view text) {
  return text.empty() || (text.size() == hash_length && text.find_first_not_of("0123456789abcdef") == text.npos);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7F'; }

bool is_text(std::string_view text, std::size_t most) {
  return text.size() <= most && std::none_of(text.begin(), text.end(), is_control) && visible(text) == text;
}

bool is_safe(const rules::Revision& revision) { return revision.empty() || rules::is_safe_in_argv(revision); }

bool are_safe(const std::vector<rules::Revision>& revisions) {
  return std::all_of(revisions.begin(), revisions.end(), is_safe);
}

bool is_path(const std::string& path) { return is_text(path, path_max) && !path.starts_with('-'); }

std::string why_malformed_context(const rules::StepContext& context) {
  if (!is_plain(context.service.text)) return "its service is no name";
  if (!is_plain(context.incident.text)) return "its incident is no name";
  if (!is_plain(context.rule.text)) return "its rule is no name";
  if (!is_safe(context.from) || !is_safe(context.to)) return "a revision must not be put into a command line";
  if (!is_text(context.schema_from, word_max) || !is_text(context.schema_to, word_max)) return "a schema is no word";
  if (!is_path(context.backup)) return "its backup is no path";
  if (!is_text(context.reason, text_max)) return "its reason is no plain text";
  return "";
}

}  // namespace

std::string line_of(const Question& question) { return described::text_of(question); }
std::string line_of(const RunnerReply& reply) { return described::text_of(reply); }
std::string line_of(const rules::StepResult& result) { return described::text_of(result); }
std::optional<Question> question_in(std::string_view line) { return described::record_in<Question>(line); }
std::optional<RunnerReply> reply_in(std::string_view line) { return described::record_in<RunnerReply>(line); }
std::optional<rules::StepResult> result_in(std::string_view line) {
  return described::record_in<rules::StepResult>(line);
}

std::string why_malformed(const Question& question) {
  if (!is_hash(question.config) || !is_hash(question.plan)) return "what should be a hash is none";
  if (!is_plain(question.service.text) || !is_plain(question.action.text)) return "a service or action is no name";
  const rules::StepId& step = question.step;
  const bool is_numbered = step.rung < 1000 && step.step < 1000 && step.attempt >= 0 && step.attempt < 1000000;
  if (!is_plain(step.incident.text) || !is_numbered) return "it names no step";
  const bool is_about_one = question.asks == Asks::perform || question.asks == Asks::result;
  if (is_about_one && step.incident.empty()) return "it names no incident";
  if (!is_safe(question.from) || (question.to && !is_safe(*question.to))) return "a revision is none";
  if (!are_safe(question.known) || !are_safe(question.named)) return "a revision is none";
  if (!is_safe(rules::Revision(question.name))) return "a name of a revision is none";
  if (!std::all_of(question.files.begin(), question.files.end(), is_path)) return "a file is no path";
  if (question.beside > rules::captures_beside_max) return "too many captures at once";
  return why_malformed_context(question.context);
}

std::string plain_text(std::string_view text) {
  std::string one_line(text);
  std::replace_if(one_line.begin(), one_line.end(), is_control, ' ');
  std::string out = visible(one_line.substr(0, text_max));
  // Not in the middle of a character: what is left of one would be made visible again.
  while (out.size() > text_max || visible(out) != out) out.pop_back();
  return out;
}

}  // namespace watcher
