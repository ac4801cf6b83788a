#include "watcher/runner/runner_client.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "probes/net/result.hpp"
#include "watcher/runner/lines.hpp"

namespace watcher {

namespace {

using local = asio::local::stream_protocol;
using probes::as_result;

constexpr rules::Duration write_limit = std::chrono::seconds(10);
constexpr rules::Duration reload_limit = std::chrono::seconds(30);

// Whoever answers there executes what we are told that was executed: only root, or we ourselves where both are tried
// out, may be it.
std::string why_not_the_runner(int socket) {
  ucred other{};
  socklen_t size = sizeof(other);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &other, &size) != 0) return "nobody knows who answers there";
  if (other.uid == 0 || other.uid == ::geteuid()) return "";
  return "user " + std::to_string(other.uid) + " answers there, who is not root";
}

}  // namespace

RunnerClient::RunnerClient(std::string socket, std::string config)
    : socket_(std::move(socket)), config_(std::move(config)) {}

RunnerReply RunnerClient::unreachable(const std::string& what, Says says) const {
  RunnerReply reply;
  reply.says = says;
  reply.why = "the runner at " + socket_ + ": " + what + "; do systemctl start rollbackd-runner";
  return reply;
}

asio::awaitable<RunnerReply> RunnerClient::ask_once(Question question, rules::Duration limit, Started started) const {
  const auto executor = co_await asio::this_coro::executor;
  local::socket socket(executor);
  const local::endpoint there(socket_);
  const auto [refused] = co_await socket.async_connect(there, as_result);
  if (refused) co_return unreachable(refused.message(), Says::unreachable);
  const std::string stranger = why_not_the_runner(socket.native_handle());
  if (!stranger.empty()) co_return unreachable(stranger, Says::unreachable);
  Lines lines(std::move(socket));
  std::string asked = line_of(question);
  // Also after a failed write: whoever turns us away has said why before it closed.
  co_await lines.write(std::move(asked), write_limit);
  for (;;) {
    const std::optional<std::string> line = co_await lines.read(runner_reply_max, limit);
    if (!line) co_return unreachable(lines.problem(), Says::lost);
    std::optional<RunnerReply> reply = reply_in(*line);
    if (!reply) co_return unreachable("it answers with what is no answer", Says::lost);
    if (reply->version != wire_version) {
      reply->says = Says::other_version;
      reply->why = "the runner is of another release than the watcher (" + std::to_string(reply->version) + ", " +
                   std::to_string(wire_version) + "); do systemctl restart rollbackd-runner rollbackd";
    }
    if (reply->says != Says::started) co_return *std::move(reply);
    if (started && reply->child) started(*reply->child);
  }
}

asio::awaitable<std::string> RunnerClient::reload() {
  Question question;
  question.asks = Asks::reload;
  RunnerReply reply = co_await ask_once(std::move(question), reload_limit, Started());
  if (reply.says != Says::done) co_return std::move(reply.why);
  if (reply.text == config_) co_return std::string();
  co_return "the runner has read another file than the watcher; was it changed meanwhile? do rollbackd reload";
}

asio::awaitable<RunnerReply> RunnerClient::ask(Question question, rules::Duration limit, Started started) {
  question.config = config_;
  RunnerReply reply = co_await ask_once(question, limit, started);
  if (reply.says != Says::other_config || has_reloaded_) co_return reply;
  has_reloaded_ = true;
  Question again;
  again.asks = Asks::reload;
  const RunnerReply reloaded = co_await ask_once(std::move(again), reload_limit, Started());
  if (reloaded.says != Says::done) {
    reply.why = reloaded.why;
    co_return reply;
  }
  co_return co_await ask_once(std::move(question), limit, std::move(started));
}

}  // namespace watcher
