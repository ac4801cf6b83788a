#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tests {

// The server's end of one connection, as a script uses it. Blocking; every call returns false once the other end or
// the server has gone.
class Peer {
 public:
  explicit Peer(int socket) : socket_(socket) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Reads a request up to the end of its header and its Content-Length.
  bool read_request();
  const std::string& request() const { return request_; }
  bool send(std::string_view bytes);
  // In pieces with pauses between them: dribbling and throttling.
  bool send_slowly(std::string_view bytes, std::size_t piece, std::chrono::milliseconds pause);
  void half_close();  // sends FIN, still reads
  void close();
  void reset();        // sends RST
  void wait_closed();  // until the other end closes or the server stops

 private:
  friend class ScriptedServer;
  std::mutex mutex_;  // guards the socket against shutdown by the server
  int socket_;
  std::string request_;
  std::string unread_;
};

using Script = std::function<void(Peer&)>;

// Listens on a free port of 127.0.0.1 and plays a script for each connection, the last one for all that follow.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<Script> scripts);
  explicit ScriptedServer(Script script) : ScriptedServer(std::vector<Script>{std::move(script)}) {}
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view path = "/") const;
  int connections() const { return connections_; }

 private:
  void accept_on();

  std::vector<Script> scripts_;
  std::uint16_t port_ = 0;  // before the listener, whose opening sets it
  int listener_ = -1;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::list<Peer> peers_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

// HTTP/1.1 responses with a Content-Length.
std::string response(int status, std::string_view body, std::string_view more_headers = "");
// Answers every request on the connection the same way.
Script always(std::string answer);
// A port of 127.0.0.1 on which nothing listens.
std::uint16_t closed_port();

}  // namespace tests
