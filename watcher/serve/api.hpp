#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/engine/events.hpp"
#include "rules/engine/view.hpp"
#include "watcher/config/config.hpp"
#include "watcher/serve/plan_json.hpp"

namespace watcher {

namespace asio = boost::asio;

// What the server, the control socket and the metrics ask of the running watcher. All calls are made on the loop's
// thread; those that read the journal await its thread.
class Host {
 public:
  virtual ~Host() = default;
  virtual const Config& config() const = 0;
  virtual rules::Instant now() const = 0;
  virtual rules::Instant started() const = 0;
  virtual rules::EngineView view() const = 0;
  // Reasons why it is not ready (readyz); empty: ready.
  virtual std::vector<std::string> not_ready() const = 0;

  virtual asio::awaitable<std::vector<rules::IncidentRecord>> incidents(std::size_t most) = 0;
  virtual asio::awaitable<std::optional<rules::IncidentRecord>> incident(rules::IncidentId id) = 0;
  virtual asio::awaitable<std::vector<rules::StepRecord>> steps(rules::IncidentId id) = 0;
  virtual asio::awaitable<std::string> report(rules::IncidentId id) = 0;  // report.md; empty: it is being written

  // Answers when what was decided is durable.
  virtual asio::awaitable<rules::Answer> request(rules::Request request) = 0;
  // Of one deployment, of every service that it is of; `by`: who says it.
  virtual asio::awaitable<rules::Answer> mark(std::vector<rules::DeployMark> marks, std::string by) = 0;
  virtual asio::awaitable<rules::Answer> reload() = 0;
  // What a rollback by hand would do.
  virtual asio::awaitable<RollbackPlan> plan(rules::RollbackByHand rollback) = 0;
};

// A request to the API and its answer, independent of HTTP server and socket.
struct ApiRequest {
  std::string method;
  std::string target;  // path and query
  std::string body;
  std::string authorization;  // header
  bool trusted = false;       // came over the control socket
  std::string by;             // who, from the peer credentials or "api"
  std::string host;           // header; what changes something over TCP must name a literal or loopback address
  bool exposed = false;       // came over a TCP address that is not loopback
};

struct ApiReply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // besides, such as Allow
};

// Routes a request. Errors are application/problem+json.
asio::awaitable<ApiReply> handle(Host& host, ApiRequest request);

// JSON texts of SPEC section 5; `status --json` prints the same.
std::string status_json(const rules::EngineView& view, const Config& config, rules::Instant started);
std::string incidents_json(const std::vector<rules::IncidentRecord>& incidents);
std::string incident_json(const rules::IncidentRecord& incident, const std::vector<rules::StepRecord>& steps,
                          const std::optional<rules::Progress>& progress = {});
// How far what is done about it has come; nothing: it is over, or nothing is begun.
std::optional<rules::Progress> progress_in(const rules::EngineView& view, const rules::IncidentId& incident);

}  // namespace watcher
