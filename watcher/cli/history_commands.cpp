#include <boost/json.hpp>

#include "watcher/cli/command_line.hpp"
#include "watcher/cli/markdown_text.hpp"
#include "watcher/cli/table.hpp"
#include "watcher/journal/journal.hpp"
#include "watcher/report/report.hpp"
#include "watcher/report/text.hpp"
#include "watcher/serve/deploys_json.hpp"
#include "watcher/serve/explain.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr std::size_t incidents_shown = 100;

// History can be read without a watcher, from the journal. Tells where the answer comes from, or why there is none.
std::unique_ptr<Journal> open_journal(const CommandLine& line, const std::string& why) {
  const std::optional<WatcherSection> watcher = line.reach();
  if (!watcher) return nullptr;
  auto opened = Journal::open_read_only(watcher->state_dir);
  if (auto* journal = std::get_if<std::unique_ptr<Journal>>(&opened)) {
    line.err() << "rollbackd: no watcher answers; this is what the journal in " << watcher->state_dir << " holds\n";
    return std::move(*journal);
  }
  tell_no_watcher(line, why);
  line.err() << "rollbackd: nor can the journal be read: " << std::get<JournalFault>(opened).what << "\n";
  return nullptr;
}

const json::array& array_at(const json::value& value, std::string_view key) {
  static const json::array empty;
  if (!value.is_object()) return empty;
  const json::value* const found = value.get_object().if_contains(key);
  return found != nullptr && found->is_array() ? found->get_array() : empty;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

// A list that the watcher or the journal gave, as JSON or as a table.
struct Listing {
  std::string_view member;  // of the answer: its rows
  std::vector<std::string> columns;
  std::string_view nothing;  // what is printed when there is no row
  std::vector<std::string> (*cells)(const json::value& row);
};

std::vector<std::string> incident_cells(const json::value& incident) {
  std::string outcome = text_of(incident, "outcome");
  if (outcome.empty()) outcome = "open, " + text_of(incident, "phase");
  const std::string rule = text_of(incident, "rule");
  return {text_of(incident, "id"),
          text_of(incident, "service"),
          rule.empty() ? "by hand" : rule,
          text_of(incident, "severity"),
          text_of(incident, "opened"),
          labelled_revision(text_of(incident, "from"), text_of(incident, "from_label")),
          labelled_revision(text_of(incident, "to"), text_of(incident, "to_label")),
          outcome};
}

// Only `deploy begin` and `deploy end` say how long it took.
std::string took_of(const json::value& deploy) {
  if (text_of(deploy, "deploy_began").empty()) return "-";
  const json::value* const took = deploy.get_object().if_contains("deploy_seconds");
  if (took == nullptr || took->is_null()) return "no end was said";
  return duration_text(rules::from_seconds(took->to_number<double>()));
}

// "2", and where what was read contradicts it, "2 (also 1)".
std::string schema_of(const json::value& deploy) {
  const std::string other = text_of(deploy, "schema_other");
  return or_dash(text_of(deploy, "schema")) + (other.empty() ? "" : " (also " + other + ")");
}

std::vector<std::string> deploy_cells(const json::value& deploy) {
  const std::string last_seen = text_of(deploy, "last_seen");
  return {text_of(deploy, "service"),
          labelled_revision(text_of(deploy, "revision"), text_of(deploy, "label")),
          text_of(deploy, "standing"),
          or_dash(text_of(deploy, "deploy_began")),
          took_of(deploy),
          text_of(deploy, "appeared"),
          last_seen.empty() ? "never" : last_seen,
          text_of(deploy, "rollback"),
          schema_of(deploy),
          or_dash(text_of(deploy, "backup"))};
}

int print_text(const CommandLine& line, const std::string& text) {
  line.out() << text;
  if (!text.ends_with('\n')) line.out() << "\n";
  return exit_fine;
}

int print_listing(const CommandLine& line, const Listing& listing, const std::string& text) {
  if (line.json()) return print_text(line, text);
  const json::value body = json::parse(text);
  Table table(listing.columns);
  for (const json::value& row : array_at(body, listing.member)) table.add(listing.cells(row));
  if (table.empty()) return print_text(line, std::string(listing.nothing));
  table.print(line.out());
  return exit_fine;
}

int list(const CommandLine& line, const std::string& target, const Listing& listing,
         std::string (*from_journal)(Journal&)) {
  const Asked asked = ask(line, "GET", target);
  if (!asked.no_watcher)
    return asked.exit_code == exit_fine ? print_listing(line, listing, asked.text) : asked.exit_code;
  const std::unique_ptr<Journal> journal = open_journal(line, asked.why);
  return journal ? print_listing(line, listing, from_journal(*journal)) : exit_no_watcher;
}

int list_incidents(const CommandLine& line) {
  const Listing listing{"incidents",
                        {"INCIDENT", "SERVICE", "RULE", "SEVERITY", "OPENED", "FROM", "TO", "OUTCOME"},
                        "no incidents",
                        incident_cells};
  return list(line, "/api/v1/incidents", listing,
              [](Journal& journal) { return incidents_json(journal.incidents(incidents_shown)); });
}

int list_deploys(const CommandLine& line) {
  const Listing listing{"deploys",
                        {"SERVICE", "REVISION", "STANDING", "DEPLOY BEGAN", "TOOK", "APPEARED", "LAST SEEN", "ROLLBACK",
                         "SCHEMA", "BACKUP"},
                        "no revision has been seen yet",
                        deploy_cells};
  return list(line, "/api/v1/deploys", listing, [](Journal& journal) { return deploys_json(journal.ledger()); });
}

// What the report has, and for an open incident first what is done now and who may change that.
int print_report(const CommandLine& line, const std::string& next, const std::string& report) {
  if (!next.empty()) line.out() << "now: " << next << "\n\n";
  line.out() << markdown_text_for_terminal(report);
  return exit_fine;
}

// `whole`: all that its report says, and not only why it opened.
int show_one_from_journal(const CommandLine& line, const std::string& id, const std::string& why, bool whole) {
  const std::unique_ptr<Journal> journal = open_journal(line, why);
  if (!journal) return exit_no_watcher;
  const std::optional<rules::IncidentRecord> incident = journal->incident(rules::IncidentId(id));
  if (!incident) {
    line.err() << "rollbackd: there is no incident " << id << "; rollbackd incidents lists them\n";
    return exit_no;
  }
  const std::vector<rules::StepRecord> steps = journal->steps(incident->id);
  if (!incident->outcome && !line.json()) line.err() << "rollbackd: no watcher runs; the next one goes on with it\n";
  const std::string report = whole && !line.json() ? written_report(line.reach()->state_dir, incident->id) : "";
  if (!report.empty()) return print_report(line, incident->outcome ? "" : next_step(*incident), report);
  return print_text(line, line.json() ? incident_json(*incident, steps) : explain_incident(*incident, steps));
}

int show_incident(const CommandLine& line, const std::string& id) {
  if (id.empty()) return list_incidents(line);
  const Asked asked = ask(line, "GET", "/api/v1/incidents/" + url_encoded(id));
  if (asked.no_watcher) return show_one_from_journal(line, id, asked.why, true);
  if (asked.exit_code != exit_fine) return asked.exit_code;
  if (line.json()) return print_text(line, asked.text);
  const Asked report = ask(line, "GET", "/api/v1/incidents/" + url_encoded(id) + "/report");
  if (report.exit_code != exit_fine) return report.exit_code;
  if (!report.text.empty()) return print_report(line, text_of(asked.body, "next"), report.text);
  // It is written behind everything else.
  const Asked story = ask_or_tell(line, "GET", "/api/v1/explain?subject=" + url_encoded(id));
  if (story.exit_code != exit_fine) return story.exit_code;
  line.out() << story.text;
  return exit_fine;
}

int explain(const CommandLine& line, const std::string& subject) {
  std::string target = "/api/v1/explain?subject=" + url_encoded(subject);
  if (line.json()) target += "&format=json";
  const Asked asked = ask(line, "GET", target);
  // What rules see only the watcher knows; incidents, whose names begin with their date, are also in the journal.
  const bool is_incident = !subject.empty() && subject.front() >= '0' && subject.front() <= '9';
  if (asked.no_watcher && is_incident) return show_one_from_journal(line, subject, asked.why, false);
  if (asked.no_watcher) tell_no_watcher(line, asked.why);
  if (asked.exit_code != exit_fine) return asked.exit_code;
  return print_text(line, asked.text);
}

}  // namespace

void add_history_commands(CLI::App& app, CommandLine& line) {
  const auto id = std::make_shared<std::string>();  // shared with the action, which outlives this function
  CLI::App* const incidents = line.add(
      app, "incidents",
      "the incidents, newest first; or one with its whole story. Also without a watcher: then from the journal.",
      [&line, id] { return show_incident(line, *id); });
  incidents->add_option("ID", *id, "the incident");
  const auto subject = std::make_shared<std::string>();
  CLI::App* const why = line.add(app, "explain",
                                 "why an incident opened, or what a rule still lacks before it fires. Without a name: "
                                 "all that is open, and every rule.",
                                 [&line, subject] { return explain(line, *subject); });
  why->add_option("INCIDENT|RULE", *subject, "the incident or the rule");
  line.add(
      app, "deploys",
      "every revision seen, and how it stands: candidate, good, suspect or bad. Newest first; also without a watcher.",
      [&line] { return list_deploys(line); });
}

}  // namespace watcher
