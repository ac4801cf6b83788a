#include "watcher/serve/api.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <charconv>
#include <utility>

#include "watcher/report/visible.hpp"
#include "watcher/serve/access.hpp"
#include "watcher/serve/deed.hpp"
#include "watcher/serve/deploys_json.hpp"
#include "watcher/serve/explain.hpp"
#include "watcher/serve/json_text.hpp"
#include "watcher/serve/problem.hpp"
#include "watcher/serve/target.hpp"

namespace watcher {

namespace {

constexpr std::size_t incidents_default = 100;
constexpr std::size_t incidents_most = 1000;  // of one reply, which is held in memory

constexpr const char* plain_text = "text/plain; charset=utf-8";

ApiReply json_reply(std::string body) {
  ApiReply reply;
  reply.body = std::move(body);
  return reply;
}

// It may say what a target or a command said, and is read on terminals.
ApiReply text_reply(unsigned status, const std::string& body) {
  ApiReply reply;
  reply.status = status;
  reply.content_type = plain_text;
  reply.body = visible(body);
  return reply;
}

ApiReply not_found(const std::string& what) { return problem(404, what); }

ApiReply readiness(const std::vector<std::string>& reasons) {
  if (reasons.empty()) return text_reply(200, "ready\n");
  std::string body;
  for (const std::string& reason : reasons) body += "not ready: " + reason + "\n";
  return text_reply(503, body);
}

std::size_t most_of(const Target& target) {
  const auto limit = target.query.find("limit");
  std::size_t most = incidents_default;
  if (limit != target.query.end()) {
    std::from_chars(limit->second.data(), limit->second.data() + limit->second.size(), most);
  }
  return std::min(most, incidents_most);
}

// An answer of the engine: what was not accepted is in conflict with how things are.
ApiReply answer_reply(const rules::Answer& answer) {
  if (!answer.accepted) return problem(409, answer.text);
  json::object object;
  object["accepted"] = true;
  object["text"] = answer.text;
  object["incident"] = text_or_null(answer.incident.text);
  return json_reply(to_text(object));
}

ApiReply explained(const Target& target, const std::string& subject, const char* kind, const std::string& text) {
  const auto format = target.query.find("format");
  if (format == target.query.end() || format->second != "json") return text_reply(200, text);
  json::object object;
  object["subject"] = text_or_null(subject);
  object["kind"] = kind;
  object["text"] = text;
  return json_reply(to_text(object));
}

std::string explain_all(const rules::EngineView& view) {
  std::string text;
  for (const rules::IncidentRecord& incident : view.open_incidents) text += explain_incident(incident, {});
  for (const rules::RuleView& rule : view.rules) text += explain_rule(rule);
  return text;
}

asio::awaitable<ApiReply> incident_reply(Host& host, rules::IncidentId id) {
  const auto incident = co_await host.incident(id);
  if (!incident) co_return not_found("no incident " + id.text + "; see `rollbackd incidents`");
  const auto steps = co_await host.steps(id);
  const std::optional<rules::Progress> progress = progress_in(host.view(), id);
  co_return json_reply(incident_json(*incident, steps, progress));
}

// Empty while it is written.
asio::awaitable<ApiReply> report_reply(Host& host, rules::IncidentId id) {
  const auto incident = co_await host.incident(id);
  if (!incident) co_return not_found("no incident " + id.text + "; see `rollbackd incidents`");
  const std::string report = co_await host.report(id);
  ApiReply reply = text_reply(200, report);
  reply.content_type = "text/markdown; charset=utf-8";
  co_return reply;
}

// `subject`: a rule, an incident, or nothing for all that is open and every rule.
asio::awaitable<ApiReply> explain_reply(Host& host, Target target) {
  const auto named = target.query.find("subject");
  const std::string subject = named == target.query.end() ? std::string() : named->second;
  const rules::EngineView view = host.view();
  if (subject.empty()) co_return explained(target, subject, "all", explain_all(view));
  for (const rules::RuleView& rule : view.rules) {
    if (rule.rule.text == subject) co_return explained(target, subject, "rule", explain_rule(rule));
  }
  const rules::IncidentId id(subject);
  const auto incident = co_await host.incident(id);
  if (!incident) {
    co_return not_found("neither a rule nor an incident is called " + subject +
                        "; status names the rules, incidents the incidents");
  }
  const auto steps = co_await host.steps(id);
  co_return explained(target, subject, "incident", explain_incident(*incident, steps));
}

asio::awaitable<ApiReply> incidents_reply(Host& host, std::size_t most) {
  const auto incidents = co_await host.incidents(most);
  co_return json_reply(incidents_json(incidents));
}

asio::awaitable<ApiReply> get(Host& host, ApiRequest request, Target target) {
  if (target.is("/healthz")) co_return text_reply(200, "ok\n");
  if (target.is("/readyz")) co_return readiness(host.not_ready());
  if (target.is("/api/v1/status")) co_return json_reply(status_json(host.view(), host.config(), host.started()));
  if (target.is("/api/v1/deploys")) co_return json_reply(deploys_json(host.view().ledger));
  if (target.is("/api/v1/explain")) co_return co_await explain_reply(host, std::move(target));
  if (target.is("/api/v1/incidents")) co_return co_await incidents_reply(host, most_of(target));
  if (target.is("/api/v1/incidents/*")) {
    const rules::IncidentId id(target.path.back());
    co_return co_await incident_reply(host, id);
  }
  if (target.is("/api/v1/incidents/*/report")) {
    const rules::IncidentId id(target.path[target.path.size() - 2]);
    co_return co_await report_reply(host, id);
  }
  co_return not_found("there is nothing at " + request.target);
}

asio::awaitable<rules::Answer> perform(Host& host, Deed deed) {
  if (auto* request = std::get_if<rules::Request>(&deed)) co_return co_await host.request(std::move(*request));
  if (auto* said = std::get_if<MarkDeployment>(&deed)) {
    co_return co_await host.mark(std::move(said->marks), std::move(said->by));
  }
  co_return co_await host.reload();
}

asio::awaitable<ApiReply> post(Host& host, ApiRequest request, Target target) {
  std::variant<Deed, ApiReply> read = read_deed(request, target, host.config(), host.now());
  if (auto* wrong = std::get_if<ApiReply>(&read)) co_return std::move(*wrong);
  Deed& deed = std::get<Deed>(read);
  if (auto* const asked = std::get_if<PlanRollback>(&deed)) {
    const RollbackPlan plan = co_await host.plan(std::move(asked->rollback));
    co_return plan.what.refused.empty() ? json_reply(plan_json(plan)) : problem(409, plan.what.refused);
  }
  const rules::Answer answer = co_await perform(host, std::move(deed));
  co_return answer_reply(answer);
}

bool is_readable(const Target& target) {
  for (const char* path : {"/healthz", "/readyz", "/metrics", "/api/v1/status", "/api/v1/deploys", "/api/v1/explain",
                           "/api/v1/incidents", "/api/v1/incidents/*", "/api/v1/incidents/*/report"}) {
    if (target.is(path)) return true;
  }
  return false;
}

// A method that the path does not have; nothing when it has it.
std::optional<ApiReply> wrong_method(const std::string& method, const Target& target) {
  const bool readable = is_readable(target);
  const bool deed = is_deed(target);
  if (!readable && !deed) return std::nullopt;
  if ((readable && method == "GET") || (deed && method == "POST")) return std::nullopt;
  std::string allowed = readable ? "GET, HEAD" : "POST";
  if (readable && deed) allowed += ", POST";
  ApiReply reply = problem(405, "only " + allowed + " here");
  reply.headers.emplace_back("Allow", allowed);
  return reply;
}

}  // namespace

asio::awaitable<ApiReply> handle(Host& host, ApiRequest request) {
  std::optional<Target> target = parse_target(request.target);
  if (!target) co_return problem(400, "the target is not a path with an optional query");
  if (auto refusal = refused(host.config().watcher, request, *target)) co_return std::move(*refusal);
  if (auto refusal = wrong_method(request.method, *target)) co_return std::move(*refusal);
  if (request.method == "GET") co_return co_await get(host, std::move(request), std::move(*target));
  if (request.method == "POST") co_return co_await post(host, std::move(request), std::move(*target));
  co_return problem(405, "only GET and POST are known here");
}

}  // namespace watcher
