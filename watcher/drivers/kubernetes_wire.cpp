#include "watcher/drivers/kubernetes_wire.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "probes/net/cancelled.hpp"
#include "probes/parse/json.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

using Reply = std::variant<probes::HttpReply, rules::Fault>;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr rules::Duration pause_before_repeat = std::chrono::seconds(1);
constexpr std::size_t said_max = 400;  // bytes of what the server said, in a message

enum Status : unsigned {
  unauthorized = 401,
  forbidden = 403,
  not_found = 404,
  conflict = 409,
  gone = 410,
  too_many = 429,
  unavailable = 503,
  too_late = 504,
};

bool is_fine(unsigned status) { return status >= 200 && status < 300; }

// What is asked for may be asked for again: a question changes nothing, and a change holds for one generation alone.
bool is_for_later(unsigned status) {
  return status == conflict || status == too_many || status == unavailable || status == too_late;
}

// A query may have a label's value in it, and says nothing to people.
std::string asked_for(const KubernetesRequest& request) {
  return request.method + " " + request.path.substr(0, request.path.find('?'));
}

std::string advice_for(unsigned status) {
  switch (status) {
    case unauthorized:
      return "; do look whether the pod's service account is still there";
    case forbidden:
      return "; do grant it: SECURITY.md has the Role";
    case not_found:
      return "; do correct `deployment` or `namespace`";
    case conflict:
      return "; somebody else changes it at the same time";
    case gone:
      return "; what it was asked about has expired meanwhile, and is asked for anew";
    case too_many:
    case unavailable:
    case too_late:
      return "; do look whether the API server is up and has time";
    default:
      return {};
  }
}

std::string advice_for(rules::FaultKind kind) {
  switch (kind) {
    case rules::FaultKind::tls:
      return "; do look whether ca.crt of the pod's service account is the authority of the server's certificate";
    case rules::FaultKind::refused:
    case rules::FaultKind::reset:
      return "; do look whether the API server is up";
    case rules::FaultKind::no_route:
    case rules::FaultKind::timeout:
      return "; do look whether the API server can be reached from here";
    default:
      return {};
  }
}

asio::awaitable<bool> paused() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, pause_before_repeat);
  co_await timer.async_wait(as_result);
  co_return co_await probes::cancelled();
}

}  // namespace

KubernetesError kubernetes_refusal(const std::string& asked, unsigned status, std::string_view body) {
  const auto parsed = probes::JsonBody::parse(body);
  const auto* const json = std::get_if<probes::JsonBody>(&parsed);
  const std::optional<std::string> message = json == nullptr ? std::nullopt : json->text("/message");
  const std::string said = message ? clean_line(*message, said_max) : "";
  return {asked + ": answered " + std::to_string(status) + (said.empty() ? "" : ": " + said) + advice_for(status)};
}

KubernetesError kubernetes_fault(const std::string& asked, const rules::Fault& fault) {
  KubernetesError error{asked + ": " + clean_line(fault.what, said_max) + advice_for(fault.kind)};
  if (fault.kind == rules::FaultKind::timeout) error.status = rules::StepStatus::timed_out;
  if (fault.kind == rules::FaultKind::cancelled) {
    error.status = rules::StepStatus::interrupted;
    error.what = asked + ": was ended because the step was called off";
  }
  return error;
}

asio::awaitable<Reply> KubernetesWire::once(const KubernetesRequest& request) {
  probes::HttpRequest whole;
  whole.method = request.method;
  whole.url = "https://" + account_.authority + request.path;
  // It is exchanged every hour, and the one of before holds for minutes only.
  whole.headers.emplace_back("Authorization", "Bearer " + account_.token());
  whole.headers.emplace_back("Accept", "application/json, */*");
  if (!request.content_type.empty()) whole.headers.emplace_back("Content-Type", request.content_type);
  whole.body = request.body;
  whole.limit = request.limit;
  whole.body_max = request.answer_max;
  probes::TlsOptions tls;
  tls.ca_file = account_.ca_file();
  probes::HttpClient client(resolver_, std::move(tls));
  const probes::PreparedRequest prepared(std::move(whole));
  Reply reply = co_await client.fetch(prepared);
  co_return std::move(reply);
}

asio::awaitable<KubernetesAnswer> KubernetesWire::ask(std::shared_ptr<KubernetesWire> wire, KubernetesRequest request) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const std::string asked = asked_for(request);
  const std::string refused = wire->account_.why_not();
  if (!refused.empty()) co_return KubernetesError{asked + ": " + refused};
  for (int left = request.tries;; --left) {
    Reply answer = co_await wire->once(request);
    if (const auto* const fault = std::get_if<rules::Fault>(&answer)) co_return kubernetes_fault(asked, *fault);
    auto& reply = std::get<probes::HttpReply>(answer);
    if (is_fine(reply.status)) {
      // A change is done, whatever became of what was said of it.
      if (reply.body_fault && request.method == "GET") co_return kubernetes_fault(asked, *reply.body_fault);
      co_return std::move(reply.body);
    }
    KubernetesError error = kubernetes_refusal(asked, reply.status, reply.body);
    if (left <= 1 || !is_for_later(reply.status)) co_return error;
    const bool called_off = co_await paused();
    if (called_off) co_return error;
  }
}

}  // namespace watcher
