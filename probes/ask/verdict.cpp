#include "probes/ask/verdict.hpp"

namespace probes {

using rules::Fault;
using rules::FaultKind;

std::optional<Fault> judge(const Expected& expected, const std::variant<HttpReply, Fault>& outcome,
                           const std::function<std::string()>& attempt, std::size_t room) {
  const rules::Expectation& expect = expected.expectation();
  const bool expects_body = !expect.json.empty() || !expect.body.empty();
  const bool expects = expects_body || !expect.status.empty();
  if (const auto* failed = std::get_if<Fault>(&outcome)) {
    Fault fault = *failed;
    // What is expected of a body does not have that size.
    if (expects_body && fault.kind == FaultKind::too_large) fault.kind = FaultKind::contradiction;
    return fault;
  }
  const HttpReply& reply = std::get<HttpReply>(outcome);
  std::optional<Fault> fault;
  if (reply.body_fault && expects_body) {
    // A body that cannot be read contradicts nothing.
    fault = check({.status = expect.status, .json = {}, .body = {}}, reply.status, {});
    if (!fault) fault = reply.body_fault;
  } else {
    fault = expected.check(reply.status, reply.body, room);
  }
  if (!fault) return std::nullopt;
  // Whoever says what a good answer is means that any other is not.
  if (expects && fault->kind == FaultKind::status) fault->kind = FaultKind::contradiction;
  fault->what.insert(0, attempt() + ": ");
  return fault;
}

}  // namespace probes
