#include "watcher/runner/runner_door.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <list>
#include <optional>
#include <utility>

#include "probes/net/result.hpp"
#include "watcher/run/log.hpp"
#include "watcher/runner/account.hpp"
#include "watcher/serve/bind.hpp"

namespace watcher {

namespace {

using local = asio::local::stream_protocol;
using boost::system::error_code;
using probes::as_result;

constexpr rules::Duration question_limit = std::chrono::seconds(5);  // the watcher says its line at once
constexpr rules::Duration write_limit = std::chrono::seconds(5);
constexpr rules::Duration accept_pause = std::chrono::milliseconds(100);  // after one that failed

std::optional<unsigned> user_of(int socket) {
  ucred other{};
  socklen_t size = sizeof(other);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &other, &size) != 0) return std::nullopt;
  return other.uid;
}

// What is said of the control socket holds of this one.
std::string of_the_runner(std::string why) {
  const auto put = [&why](std::string_view from, std::string_view to) {
    for (std::size_t at = why.find(from); at != why.npos; at = why.find(from, at + to.size()))
      why.replace(at, from.size(), to);
  };
  put("control socket", "runner's socket");
  put("watcher.control", "watcher.runner");
  return why;
}

}  // namespace

struct RunnerDoor::State {
  State(asio::any_io_executor executor_, Runner& runner_)
      : executor(executor_), runner(runner_), timer(executor), tasks(executor) {}

  asio::any_io_executor executor;
  Runner& runner;
  std::optional<local::acceptor> acceptor;
  std::string path;
  unsigned user = 0;
  asio::steady_timer timer;  // of the pause
  std::list<Lines*> silent;  // connections that have said nothing yet, the oldest first
  probes::TaskGroup tasks;

  bool may_ask(std::optional<unsigned> who) const { return who && (*who == 0 || *who == user || *who == geteuid()); }
  asio::awaitable<void> converse(local::socket socket);
  asio::awaitable<void> refuse(Lines& lines, std::string why) const;
};

asio::awaitable<void> RunnerDoor::State::refuse(Lines& lines, std::string why) const {
  RunnerReply reply;
  reply.says = Says::refused;
  reply.why = "the runner refuses: " + std::move(why);
  std::string line = line_of(reply);
  co_await lines.write(std::move(line), write_limit);
}

// One question, one answer.
asio::awaitable<void> RunnerDoor::State::converse(local::socket socket) {
  const std::optional<unsigned> who = user_of(socket.native_handle());
  Lines lines(std::move(socket));
  if (!may_ask(who)) {
    const std::string name = who ? "user " + std::to_string(*who) : "whom the kernel does not know";
    log_warning("refused", "peer=" + log_value(name));
    co_return co_await refuse(lines, name + " may not ask it; only root and watcher.runner_user may");
  }
  const auto place = silent.insert(silent.end(), &lines);
  const std::optional<std::string> line = co_await lines.read(question_max, question_limit);
  silent.erase(place);
  if (!line) co_return co_await refuse(lines, lines.problem());
  std::optional<Question> question = question_in(*line);
  if (!question) co_return co_await refuse(lines, "that is no question");
  co_await runner.answer(*std::move(question), lines);
}

RunnerDoor::RunnerDoor(const asio::any_io_executor& executor, Runner& runner)
    : state_(std::make_unique<State>(executor, runner)) {}

RunnerDoor::~RunnerDoor() { close(); }

std::string RunnerDoor::listen(const std::string& path, const std::string& user) {
  const std::optional<Account> account = account_named(user);
  if (!account) return "watcher.runner_user: there is no user " + user + "; create it, or name another";
  auto bound = bind_control(state_->executor, path, std::to_string(account->group));
  if (auto* const wrong = std::get_if<std::string>(&bound)) return of_the_runner(std::move(*wrong));
  state_->user = account->user;
  state_->path = path;
  state_->acceptor.emplace(std::move(std::get<ControlSocket>(bound).acceptor));
  return "";
}

asio::awaitable<void> RunnerDoor::serve() {
  while (state_->acceptor && state_->acceptor->is_open()) {
    local::socket socket(state_->executor);
    const auto [error] = co_await state_->acceptor->async_accept(socket, as_result);
    if (error && error != asio::error::operation_aborted) {
      state_->timer.expires_after(accept_pause);
      co_await state_->timer.async_wait(as_result);
    }
    if (error) continue;
    // Whoever opens many and says nothing keeps nobody out.
    if (state_->tasks.size() >= askers_max && !state_->silent.empty()) state_->silent.front()->hang_up();
    if (state_->tasks.size() < 2 * askers_max) state_->tasks.spawn("asker", state_->converse(std::move(socket)));
  }
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await state_->tasks.join();
}

void RunnerDoor::close() {
  if (!state_->acceptor || !state_->acceptor->is_open()) return;
  error_code ignored;
  unlink(state_->path.c_str());
  state_->acceptor->close(ignored);
  state_->timer.cancel();
}

}  // namespace watcher
