#include "watcher/serve/server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <new>
#include <optional>
#include <utility>

#include "probes/net/result.hpp"
#include "probes/net/task_group.hpp"
#include "watcher/serve/bind.hpp"
#include "watcher/serve/peer.hpp"
#include "watcher/serve/seats.hpp"
#include "watcher/serve/session.hpp"

namespace watcher {

namespace {

using asio::ip::tcp;
using local = asio::local::stream_protocol;
using boost::system::error_code;
using probes::as_result;

// Bytes that the kernel keeps for one that does not read, which counts as our memory in a container. It would be
// megabytes else.
constexpr int send_buffer = 256 * 1024;
// After an accept that failed for want of descriptors or memory: trying at once would only burn the processor.
constexpr rules::Duration accept_pause = std::chrono::milliseconds(100);

}  // namespace

struct Server::State {
  State(asio::any_io_executor executor_, Host& host_, Metrics& metrics_)
      : executor(executor_),
        host(host_),
        metrics(metrics_),
        closed(executor, asio::steady_timer::time_point::max()),
        tasks(executor) {}

  asio::any_io_executor executor;
  Host& host;
  Metrics& metrics;
  std::optional<tcp::acceptor> web;
  bool exposed = false;
  std::optional<ControlSocket> control;
  std::string control_path;
  std::string control_group;
  struct stat control_file {};  // as it was made
  Seats web_seats{Places().web};
  Seats crowded_seats{Places().crowded};
  Seats control_seats{Places().control};
  asio::steady_timer closed;  // never expires; cancelled by close()
  probes::TaskGroup tasks;

  std::string listen_web(const std::string& address);
  std::string listen_control(const std::string& path, const std::string& group);
  bool is_reached() const;
  template <class Accept>
  asio::awaitable<void> keep_accepting(Accept accept);
  asio::awaitable<void> accept_web();
  asio::awaitable<void> accept_control();
  asio::awaitable<void> pause_after(error_code error);
  asio::awaitable<void> seat(StreamSocket socket, Visitor visitor, Seats& seats);
};

std::string Server::State::listen_web(const std::string& address) {
  if (address == "off") return "";
  auto bound = bind_tcp(executor, address);
  if (auto* wrong = std::get_if<std::string>(&bound)) return std::move(*wrong);
  web.emplace(std::move(std::get<tcp::acceptor>(bound)));
  exposed = !web->local_endpoint().address().is_loopback();
  return "";
}

// In place of the one that there was, if any: accept_control() goes on with the new one.
std::string Server::State::listen_control(const std::string& path, const std::string& group) {
  if (path.empty()) return "";
  auto bound = bind_control(executor, path, group);
  if (auto* wrong = std::get_if<std::string>(&bound)) return std::move(*wrong);
  error_code ignored;
  if (control) control->acceptor.close(ignored);
  control.emplace(std::move(std::get<ControlSocket>(bound)));
  control_path = path;
  control_group = group;
  lstat(control_path.c_str(), &control_file);
  return "";
}

bool Server::State::is_reached() const {
  struct stat found {};
  if (!control || !control->acceptor.is_open()) return true;
  return lstat(control_path.c_str(), &found) == 0 && found.st_dev == control_file.st_dev &&
         found.st_ino == control_file.st_ino;
}

asio::awaitable<void> Server::State::pause_after(error_code error) {
  if (!error || error == asio::error::operation_aborted) co_return;
  asio::steady_timer timer(executor, accept_pause);
  co_await timer.async_wait(as_result);
}

asio::awaitable<void> Server::State::seat(StreamSocket socket, Visitor visitor, Seats& seats) {
  const Seats::Seat seat(seats, visitor.owner);
  try {
    co_await converse(std::move(socket), std::move(visitor), host, metrics, seats);
  } catch (const std::bad_alloc&) {
    // The connection is closed: whoever asked asks again.
  }
}

// Runs until the acceptor is closed. Where memory runs out in between, that connection is lost, and no other.
template <class Accept>
asio::awaitable<void> Server::State::keep_accepting(Accept accept) {
  for (bool is_open = true; is_open;) {
    bool is_lost = false;
    try {
      co_await (this->*accept)();
      is_open = false;
    } catch (const std::bad_alloc&) {
      is_lost = true;
    }
    if (is_lost) co_await pause_after(asio::error::no_memory);
  }
}

asio::awaitable<void> Server::State::accept_web() {
  while (web->is_open()) {
    tcp::socket socket(executor);
    const auto [error] = co_await web->async_accept(socket, as_result);
    if (error) {
      co_await pause_after(error);
      continue;
    }
    error_code ignored;
    socket.set_option(asio::socket_base::send_buffer_size(send_buffer), ignored);
    Visitor visitor;
    visitor.exposed = exposed;
    visitor.name = "api";
    visitor.crowded = !web_seats.have_place();
    Seats& seats = visitor.crowded ? crowded_seats : web_seats;
    if (visitor.crowded && !crowded_seats.have_place()) {
      turn_away(StreamSocket(std::move(socket)));
    } else {
      tasks.spawn("web connection", seat(StreamSocket(std::move(socket)), std::move(visitor), seats));
    }
  }
}

asio::awaitable<void> Server::State::accept_control() {
  while (control->acceptor.is_open()) {
    local::socket socket(executor);
    const auto [error] = co_await control->acceptor.async_accept(socket, as_result);
    if (error) {
      co_await pause_after(error);
      continue;
    }
    const Peer peer = peer_of(socket.native_handle(), control->group);
    if (!control_seats.have_place(peer.uid, !peer.is_ours)) {
      turn_away(StreamSocket(std::move(socket)));
    } else {
      Visitor visitor;
      visitor.owner = peer.uid;
      visitor.allowed = peer.allowed;
      visitor.trusted = true;
      visitor.name = peer.name;
      tasks.spawn("control connection", seat(StreamSocket(std::move(socket)), std::move(visitor), control_seats));
    }
  }
}

Server::Server(asio::any_io_executor executor, Host& host, Metrics& metrics)
    : state_(std::make_unique<State>(std::move(executor), host, metrics)) {}

Server::~Server() { close(); }

std::string Server::listen(const WatcherSection& watcher) {
  std::string wrong = state_->listen_control(watcher.control, watcher.control_group);
  if (wrong.empty()) wrong = state_->listen_web(watcher.listen);
  if (!wrong.empty()) close();
  return wrong;
}

void Server::allow(const Places& places) {
  state_->web_seats.allow(places.web);
  state_->crowded_seats.allow(places.crowded);
  state_->control_seats.allow(places.control);
}

asio::awaitable<void> Server::serve() {
  if (state_->web) state_->tasks.spawn("accept web", state_->keep_accepting(&State::accept_web));
  if (state_->control) state_->tasks.spawn("accept control", state_->keep_accepting(&State::accept_control));
  co_await state_->closed.async_wait(as_result);
  // Cancelled or closed: what is left must still be waited for.
  co_await asio::this_coro::throw_if_cancelled(false);
  close();
  co_await state_->tasks.join();
}

void Server::close() {
  error_code ignored;
  if (state_->web) state_->web->close(ignored);
  if (state_->control && state_->control->acceptor.is_open()) {
    if (state_->is_reached()) unlink(state_->control_path.c_str());
    state_->control->acceptor.close(ignored);
  }
  state_->tasks.cancel();
  state_->closed.cancel();
}

std::string Server::why_not_reached() const {
  if (state_->is_reached()) return "";
  return "control socket " + state_->control_path +
         ": it was removed or replaced while we run, and no command reaches us; it is made anew in some seconds, if "
         "nothing stands in its way";
}

std::string Server::reach_again() {
  if (state_->is_reached()) return "";
  const std::string path = state_->control_path;
  const std::string why = state_->listen_control(path, std::string(state_->control_group));
  if (why.empty()) return "";
  return why + " (the socket was removed or replaced while we run, no command reaches us, and it is tried again)";
}

std::uint16_t Server::port() const {
  if (!state_->web || !state_->web->is_open()) return 0;
  return state_->web->local_endpoint().port();
}

}  // namespace watcher
