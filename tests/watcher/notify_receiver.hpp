#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace notify_receiver {

// A socket that listens on a port of its own of this host.
struct Listener {
  int socket = -1;
  int port = 0;
};

inline Listener listen_here() {
  Listener out;
  out.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(out.socket, generic, sizeof address) == 0);
  REQUIRE(::listen(out.socket, 16) == 0);
  REQUIRE(::getsockname(out.socket, generic, &length) == 0);
  out.port = ntohs(address.sin_port);
  return out;
}

// An HTTP receiver on a port of its own that answers what the test wants, one connection after the other.
class Receiver {
 public:
  // The bytes of an answer; empty: the connection is closed without one; "hang": no answer until the receiver goes.
  using Answer = std::function<std::string(const std::string& request)>;

  explicit Receiver(Answer answer) : answer_(std::move(answer)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~Receiver() {
    stopping_ = true;
    thread_.join();
    for (const int connection : hanging_) ::close(connection);
    ::close(listener_.socket);
  }

  std::string url(const std::string& path = "/hook") const {
    return "http://127.0.0.1:" + std::to_string(listener_.port) + path;
  }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stopping_) {
      pollfd waiting{listener_.socket, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int connection = ::accept4(listener_.socket, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection >= 0) answer(connection);
    }
  }

  void answer(int connection) {
    const std::string request = read_request(connection);
    const std::string text = answer_(request);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    if (text == "hang") {
      hanging_.push_back(connection);
      return;
    }
    static_cast<void>(::send(connection, text.data(), text.size(), MSG_NOSIGNAL) > 0);
    ::close(connection);
  }

  static std::string read_request(int connection) {
    std::string request;
    char piece[4096];
    while (true) {
      const std::size_t end = request.find("\r\n\r\n");
      const std::size_t header = request.find("Content-Length: ");
      const std::size_t body =
          header == std::string::npos ? 0 : std::strtoul(request.c_str() + header + 16, nullptr, 10);
      if (end != std::string::npos && request.size() >= end + 4 + body) return request;
      const ssize_t length = ::recv(connection, piece, sizeof piece, 0);
      if (length <= 0) return request;
      request.append(piece, static_cast<std::size_t>(length));
    }
  }

  Answer answer_;
  const Listener listener_ = listen_here();
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> hanging_;
  std::thread thread_;
};

inline std::string status(const std::string& line, const std::string& headers = "", const std::string& body = "") {
  return "HTTP/1.1 " + line + "\r\nConnection: close\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

inline std::string body_of(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }

}  // namespace notify_receiver
