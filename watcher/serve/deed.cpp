#include "watcher/serve/deed.hpp"

#include <boost/json/parse.hpp>
#include <utility>

#include "watcher/serve/fields.hpp"
#include "watcher/serve/problem.hpp"

namespace watcher {

namespace {

// A pause that outlasts a month is a rule that should be removed.
constexpr rules::Duration pause_max = std::chrono::hours(24 * 31);
// JSON within JSON; no body has any.
constexpr std::size_t depth_max = 4;

struct Asking {
  boost::json::object body;
  const Config& config;
  const std::string& by;
  rules::Instant now;
  std::string incident;  // of /api/v1/incidents/ID/...
};

using Read = std::variant<Deed, ApiReply>;

Read finish(const Fields& fields, Deed deed) {
  const std::string mistakes = fields.mistakes();
  if (!mistakes.empty()) return problem(422, mistakes);
  return deed;
}

Read read_pause(Asking asking) {
  Fields fields(std::move(asking.body), {"service", "for", "reason"}, asking.config);
  rules::Pause pause;
  pause.service = fields.service();
  pause.length = fields.duration("for", pause_max).value_or(rules::Duration::zero());
  pause.reason = fields.text("reason");
  return finish(fields, rules::Request(std::move(pause)));
}

Read read_resume(Asking asking) {
  Fields fields(std::move(asking.body), {"service"}, asking.config);
  return finish(fields, rules::Request(rules::Resume{fields.service()}));
}

Read read_rollback(Asking asking) {
  Fields fields(std::move(asking.body), {"service", "to", "action", "backup", "reason", "force", "yes", "plan"},
                asking.config);
  rules::RollbackByHand rollback;
  rollback.service = fields.one_service();
  rollback.to = fields.revision("to");
  rollback.action = fields.action();
  rollback.backup = fields.text("backup");
  rollback.reason = fields.text("reason");
  rollback.by = asking.by;
  rollback.force = fields.flag("force");
  rollback.yes = fields.flag("yes");
  if (fields.flag("plan")) return finish(fields, PlanRollback{std::move(rollback)});
  return finish(fields, rules::Request(std::move(rollback)));
}

std::optional<rules::RollbackPolicy> policy_of(Fields& fields) {
  const std::string word = fields.text("rollback");
  if (word.empty()) return std::nullopt;
  for (const auto policy :
       {rules::RollbackPolicy::automatic, rules::RollbackPolicy::ask, rules::RollbackPolicy::forbidden}) {
    if (word == rules::to_string(policy)) return policy;
  }
  fields.mistake("\"rollback\" must be auto, ask or forbidden");
  return std::nullopt;
}

Deed mark_of(Fields& fields, rules::MarkKind kind, const Asking& asking) {
  rules::DeployMark mark;
  mark.at = asking.now;
  mark.kind = kind;
  mark.revision = fields.revision("revision");
  mark.policy = policy_of(fields);
  mark.schema = fields.text("schema");
  mark.backup = fields.text("backup");
  MarkDeployment out;
  out.by = asking.by;
  for (rules::ServiceName& service : fields.services()) {
    mark.service = std::move(service);
    out.marks.push_back(mark);
  }
  return out;
}

Deed declaration_of(Fields& fields, rules::Standing standing) {
  rules::Declare declare;
  declare.service = fields.one_service();
  declare.standing = standing;
  const auto revision = fields.revision("revision");
  if (!revision)
    fields.mistake("\"revision\" is missing: which one is " + std::string(rules::to_string(standing)) + "?");
  declare.revision = revision.value_or(rules::Revision());
  for (const char* key : {"rollback", "schema", "backup"}) {
    if (!fields.text(key).empty()) fields.mistake(std::string("\"") + key + "\" belongs to begin, end and mark");
  }
  return rules::Request(std::move(declare));
}

Read read_deploys(Asking asking) {
  Fields fields(std::move(asking.body), {"service", "services", "kind", "revision", "rollback", "schema", "backup"},
                asking.config);
  const std::string kind = fields.text("kind");
  if (kind == "begin") return finish(fields, mark_of(fields, rules::MarkKind::begin, asking));
  if (kind == "end") return finish(fields, mark_of(fields, rules::MarkKind::end, asking));
  if (kind == "mark") return finish(fields, mark_of(fields, rules::MarkKind::mark, asking));
  if (kind == "good") return finish(fields, declaration_of(fields, rules::Standing::good));
  if (kind == "bad") return finish(fields, declaration_of(fields, rules::Standing::bad));
  fields.mistake("\"kind\" must be begin, end, mark, good or bad");
  return problem(422, fields.mistakes());
}

Read read_fuse_reset(Asking asking) {
  Fields fields(std::move(asking.body), {"service"}, asking.config);
  return finish(fields, rules::Request(rules::FuseReset{fields.one_service()}));
}

Read read_accept_state(Asking asking) {
  return finish(Fields(std::move(asking.body), {}, asking.config), rules::Request(rules::AcceptState{}));
}

Read read_reload(Asking asking) { return finish(Fields(std::move(asking.body), {}, asking.config), ReloadConfig{}); }

Read read_approve(Asking asking) {
  rules::Approve approve{rules::IncidentId(asking.incident), asking.by};
  return finish(Fields(std::move(asking.body), {}, asking.config), rules::Request(std::move(approve)));
}

Read read_abort(Asking asking) {
  rules::Abort abort{rules::IncidentId(asking.incident), asking.by};
  Fields fields(std::move(asking.body), {"kill"}, asking.config);
  abort.kill = fields.flag("kill");
  return finish(fields, rules::Request(std::move(abort)));
}

Read read_ack(Asking asking) {
  rules::Acknowledge known{rules::IncidentId(asking.incident), asking.by};
  return finish(Fields(std::move(asking.body), {}, asking.config), rules::Request(std::move(known)));
}

struct Route {
  std::string_view path;
  Read (*read)(Asking asking);
};

constexpr Route routes[] = {
    {"/api/v1/pause", read_pause},
    {"/api/v1/resume", read_resume},
    {"/api/v1/deploys", read_deploys},
    {"/api/v1/rollback", read_rollback},
    {"/api/v1/reload", read_reload},
    {"/api/v1/fuse/reset", read_fuse_reset},
    {"/api/v1/accept-state", read_accept_state},
    {"/api/v1/incidents/*/approve", read_approve},
    {"/api/v1/incidents/*/abort", read_abort},
    {"/api/v1/incidents/*/ack", read_ack},
};

std::variant<boost::json::object, ApiReply> parse_body(const std::string& body) {
  if (body.empty()) return boost::json::object();
  boost::json::parse_options options;
  options.max_depth = depth_max;
  boost::json::error_code error;
  boost::json::value value = boost::json::parse(body, error, {}, options);
  if (error) return problem(400, "the body is not JSON: " + error.message());
  if (!value.is_object()) return problem(400, "the body must be a JSON object");
  return std::move(value.get_object());
}

}  // namespace

bool is_deed(const Target& target) {
  for (const Route& route : routes) {
    if (target.is(route.path)) return true;
  }
  return false;
}

std::variant<Deed, ApiReply> read_deed(const ApiRequest& request, const Target& target, const Config& config,
                                       rules::Instant now) {
  for (const Route& route : routes) {
    if (!target.is(route.path)) continue;
    auto body = parse_body(request.body);
    if (auto* wrong = std::get_if<ApiReply>(&body)) return std::move(*wrong);
    const std::string incident = target.path.size() == 5 ? target.path[3] : "";
    return route.read({std::move(std::get<boost::json::object>(body)), config, request.by, now, incident});
  }
  return problem(404, "there is nothing at " + request.target);
}

}  // namespace watcher
