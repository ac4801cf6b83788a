#include "scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

namespace tests {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int listen_anywhere(std::uint16_t& port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0) throw std::runtime_error("bind");
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  constexpr int backlog = 1024;
  if (listen(socket, backlog) != 0) throw std::runtime_error("listen");
  port = ntohs(address.sin_port);
  return socket;
}

std::size_t content_length(const std::string& header) {
  const std::size_t at = header.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::strtoul(header.c_str() + at + 16, nullptr, 10);
}

}  // namespace

bool Peer::read_request() {
  for (;;) {
    const std::size_t end = unread_.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::size_t size = end + 4 + content_length(unread_.substr(0, end + 2));
      if (unread_.size() >= size) {
        request_ = unread_.substr(0, size);
        unread_.erase(0, size);
        return true;
      }
    }
    std::array<char, 4096> piece;
    const ssize_t count = recv(socket_, piece.data(), piece.size(), 0);
    if (count <= 0) return false;
    unread_.append(piece.data(), static_cast<std::size_t>(count));
  }
}

bool Peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool Peer::send_slowly(std::string_view bytes, std::size_t piece, std::chrono::milliseconds pause) {
  while (!bytes.empty()) {
    const std::size_t count = std::min(piece, bytes.size());
    if (!send(bytes.substr(0, count))) return false;
    bytes.remove_prefix(count);
    std::this_thread::sleep_for(pause);
  }
  return true;
}

void Peer::half_close() { shutdown(socket_, SHUT_WR); }

void Peer::close() {
  const std::lock_guard lock(mutex_);
  if (socket_ != -1) ::close(socket_);
  socket_ = -1;
}

void Peer::reset() {
  const linger abort_it{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &abort_it, sizeof abort_it);
  close();
}

void Peer::wait_closed() {
  std::array<char, 4096> piece;
  while (recv(socket_, piece.data(), piece.size(), 0) > 0) {
  }
}

ScriptedServer::ScriptedServer(std::vector<Script> scripts)
    : scripts_(std::move(scripts)), listener_(listen_anywhere(port_)), acceptor_([this] { accept_on(); }) {}

ScriptedServer::~ScriptedServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (Peer& peer : peers_) {
    const std::lock_guard lock(peer.mutex_);
    if (peer.socket_ != -1) shutdown(peer.socket_, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
}

void ScriptedServer::accept_on() {
  for (;;) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket == -1) {
      if (stopping_) return;
      continue;
    }
    const auto number = static_cast<std::size_t>(connections_++);
    const Script& script = scripts_.at(std::min(number, scripts_.size() - 1));
    Peer& peer = peers_.emplace_back(socket);
    threads_.emplace_back([&script, &peer] {
      script(peer);
      peer.close();
    });
  }
}

std::string ScriptedServer::url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

std::string response(int status, std::string_view body, std::string_view more_headers) {
  return "HTTP/1.1 " + std::to_string(status) + " Any\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more_headers) + "\r\n" + std::string(body);
}

Script always(std::string answer) {
  return [answer = std::move(answer)](Peer& peer) {
    while (peer.read_request() && peer.send(answer)) {
    }
  };
}

std::uint16_t closed_port() {
  std::uint16_t port = 0;
  ::close(listen_anywhere(port));
  return port;
}

}  // namespace tests
