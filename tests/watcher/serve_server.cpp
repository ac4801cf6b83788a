#include <doctest/doctest.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <filesystem>
#include <fstream>
#include <thread>

#include "serve_support.hpp"
#include "test_folder.hpp"
#include "watcher/serve/bind.hpp"
#include "watcher/serve/client.hpp"
#include "watcher/serve/peer.hpp"
#include "watcher/serve/server.hpp"

using namespace serve_test;
using boost::asio::ip::tcp;
using boost::system::error_code;
using watcher::ApiReply;

namespace asio = boost::asio;

namespace {

// A server on real sockets with a thread of its own, so that clients here may block.
class Served {
 public:
  explicit Served(const std::string& token = "") {
    section_.listen = "127.0.0.1:0";
    section_.control = folder_.file("sub/control.sock");
    if (!token.empty()) section_.token = watcher::Text{token, true};
    host_.config_.watcher = section_;
    wrong_ = server_.listen(section_);
    REQUIRE(wrong_ == "");
    port_ = server_.port();
    const auto on_done = [](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
    };
    asio::co_spawn(io_, server_.serve(), on_done);
    loop_ = std::thread([this] { io_.run(); });
  }
  ~Served() {
    asio::post(io_, [this] { server_.close(); });
    loop_.join();
  }

  const std::string& control() const { return section_.control; }
  std::uint16_t port() const { return port_; }
  FakeHost& host() { return host_; }
  const watcher::WatcherSection& section() const { return section_; }

 private:
  TestFolder folder_;
  watcher::WatcherSection section_;
  asio::io_context io_{1};
  FakeHost host_;
  watcher::Metrics metrics_;
  watcher::Server server_{io_.get_executor(), host_, metrics_};
  std::string wrong_;
  std::uint16_t port_ = 0;
  std::thread loop_;
};

tcp::socket connected(asio::io_context& io, const Served& served) {
  tcp::socket socket(io);
  socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), served.port()));
  return socket;
}

// Everything that comes back until the server closes.
std::string roundtrip(const Served& served, const std::string& sent) {
  asio::io_context io;
  tcp::socket socket = connected(io, served);
  error_code error;
  asio::write(socket, asio::buffer(sent), error);
  std::string received;
  asio::read(socket, asio::dynamic_buffer(received), error);
  return received;
}

std::string request(const std::string& line, const std::string& headers = "", const std::string& body = "") {
  return line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool begins(const std::string& text, const std::string& with) { return text.rfind(with, 0) == 0; }

std::string refusal_to_listen(const watcher::WatcherSection& section) {
  asio::io_context io;
  FakeHost host;
  watcher::Metrics metrics;
  watcher::Server server(io.get_executor(), host, metrics);
  return server.listen(section);
}

}  // namespace

TEST_CASE("metrics and API are served over TCP") {
  const Served served;
  const std::string metrics = roundtrip(served, request("GET /metrics"));
  CHECK(begins(metrics, "HTTP/1.1 200 OK\r\n"));
  CHECK(metrics.find("Content-Type: text/plain; version=0.0.4") != std::string::npos);
  CHECK(metrics.find("\nrollbackd_build_info{") != std::string::npos);
  CHECK(roundtrip(served, request("GET /api/v1/status")).find("\"mode\":\"act\"") != std::string::npos);
  CHECK(begins(roundtrip(served, request("GET /nope")), "HTTP/1.1 404 "));
  CHECK(begins(roundtrip(served, request("POST /metrics")), "HTTP/1.1 40"));
}

TEST_CASE("memory that runs out in an answer costs that connection alone") {
  Served served;
  served.host().starved_ = 2;
  for (int i = 0; i < 2; ++i) CHECK(roundtrip(served, request("GET /api/v1/status")).empty());
  CHECK(begins(roundtrip(served, request("GET /api/v1/status")), "HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("HEAD answers with the header of GET and no body") {
  const Served served;
  const std::string reply = roundtrip(served, request("HEAD /healthz"));
  CHECK(begins(reply, "HTTP/1.1 200 OK\r\n"));
  CHECK(reply.find("Content-Length: 3\r\n") != std::string::npos);
  CHECK(reply.substr(reply.size() - 4) == "\r\n\r\n");
}

TEST_CASE("a connection answers one request after another, also when they come together") {
  const Served served;
  const std::string one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string replies = roundtrip(served, one + one + request("GET /healthz"));
  std::size_t count = 0;
  for (std::size_t at = replies.find("200 OK"); at != std::string::npos; at = replies.find("200 OK", at + 1)) ++count;
  CHECK(count == 3);
}

TEST_CASE("over TCP nothing is changed without the token, with it everything") {
  Served served("secret");
  CHECK(begins(roundtrip(served, request("POST /api/v1/reload")), "HTTP/1.1 401 "));
  CHECK(served.host().reloads_ == 0);
  CHECK(begins(roundtrip(served, request("POST /api/v1/reload", "Authorization: Bearer secret\r\n")), "HTTP/1.1 200 "));
  CHECK(served.host().reloads_ == 1);
}

TEST_CASE("what is too large or not HTTP is a problem and ends the connection") {
  const Served served("secret");
  const std::string large(100'000, 'x');
  CHECK(begins(roundtrip(served, request("POST /api/v1/pause", "", large)), "HTTP/1.1 413 "));
  CHECK(begins(roundtrip(served, request("GET /healthz", "X-Large: " + large + "\r\n")), "HTTP/1.1 431 "));
  CHECK(begins(roundtrip(served, "what is this?\r\n\r\n"), "HTTP/1.1 400 "));
  CHECK(begins(roundtrip(served, request("GET /healthz")), "HTTP/1.1 200 "));
}

TEST_CASE("what is within the limits of body and header is read") {
  const Served served("secret");
  const std::string body(64 * 1024, ' ');
  const std::string token = "Authorization: Bearer secret\r\n";
  CHECK(begins(roundtrip(served, request("POST /api/v1/reload", token, "{}" + body.substr(2))), "HTTP/1.1 200 "));
  CHECK(begins(roundtrip(served, request("POST /api/v1/reload", token, "{}" + body)), "HTTP/1.1 413 "));
}

TEST_CASE("a thousand connections that say nothing keep nobody out: the longest silent makes way") {
  const Served served;
  asio::io_context io;
  std::vector<tcp::socket> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(connected(io, served));
    // Half a request, so that some are in the middle of it.
    if (i % 2 == 0) asio::write(idle.back(), asio::buffer(std::string("GET /healthz HTTP/1.1\r\n")));
  }
  CHECK(begins(roundtrip(served, request("GET /healthz")), "HTTP/1.1 200 "));
  const auto reply = watcher::call(served.control(), trusted("GET", "/healthz"));
  REQUIRE(std::holds_alternative<ApiReply>(reply));
  CHECK(std::get<ApiReply>(reply).status == 200);
  std::array<char, 1> byte{};
  error_code error;
  idle.front().read_some(asio::buffer(byte), error);
  CHECK(error);
}

TEST_CASE("connections that ask for pages and never read them keep nobody out") {
  Served served;
  served.host().view_.rules.resize(2000, served.host().view_.rules.front());  // 800 KiB: no two fit into the kernel
  asio::io_context io;
  std::vector<tcp::socket> greedy;
  std::string many;
  for (int i = 0; i < 9; ++i) many += "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (int i = 0; i < 80; ++i) {
    // What the kernel would take for them is as little as it can be.
    greedy.emplace_back(io, tcp::v4());
    greedy.back().set_option(asio::socket_base::receive_buffer_size(4096));
    greedy.back().connect(tcp::endpoint(asio::ip::address_v4::loopback(), served.port()));
    error_code ignored;
    greedy.back().non_blocking(true);
    greedy.back().write_some(asio::buffer(many), ignored);
  }
  for (int i = 0; i < 100; ++i) {
    const std::string got = roundtrip(served, request("GET /healthz"));
    CAPTURE(i);
    CAPTURE(got);
    REQUIRE(begins(got, "HTTP/1.1 200 "));
  }
  const auto reply = watcher::call(served.control(), trusted("GET", "/healthz"));
  REQUIRE(std::holds_alternative<ApiReply>(reply));
  CHECK(std::get<ApiReply>(reply).status == 200);
}

TEST_CASE("connections to the control socket that say nothing keep the command line not out") {
  const Served served;
  asio::io_context io;
  std::vector<asio::local::stream_protocol::socket> idle;
  for (int i = 0; i < 200; ++i) {
    idle.emplace_back(io);
    idle.back().connect(asio::local::stream_protocol::endpoint(served.control()));
  }
  const auto reply = watcher::call(served.control(), trusted("GET", "/healthz"));
  REQUIRE(std::holds_alternative<ApiReply>(reply));
  CHECK(std::get<ApiReply>(reply).status == 200);
}

TEST_CASE("connections to the control socket that are opened again and again keep the command line not out") {
  const Served served;
  std::atomic<bool> is_over = false;
  std::vector<std::thread> flood;
  for (int i = 0; i < 3; ++i) {
    flood.emplace_back([&served, &is_over] {
      asio::io_context io;
      while (!is_over) {
        std::vector<asio::local::stream_protocol::socket> many;
        for (int k = 0; k < 100 && !is_over; ++k) {
          error_code ignored;
          many.emplace_back(io).connect(asio::local::stream_protocol::endpoint(served.control()), ignored);
        }
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    const auto reply = watcher::call(served.control(), trusted("GET", "/api/v1/status"));
    const auto* wrong = std::get_if<std::string>(&reply);
    CHECK((wrong == nullptr ? "" : *wrong) == "");
    if (wrong == nullptr) CHECK(std::get<ApiReply>(reply).status == 200);
  }
  is_over = true;
  for (std::thread& one : flood) one.join();
}

TEST_CASE("a request with two Host headers is refused") {
  const Served served;
  CHECK(begins(roundtrip(served, request("GET /api/v1/status", "Host: evil.example\r\n")), "HTTP/1.1 400 "));
}

TEST_CASE("metrics of a loopback address are for own names alone, as everything else is") {
  for (const std::string token : {"", "secret"}) {
    const Served served(token);
    for (const std::string line : {"GET /metrics", "HEAD /metrics", "GET /metrics?x=y"}) {
      CAPTURE(line);
      const auto asked = [&](const std::string& host) {
        return roundtrip(served, line + " HTTP/1.1\r\nConnection: close\r\n" + host + "\r\n");
      };
      CHECK(begins(asked("Host: evil.example\r\n"), "HTTP/1.1 403 "));
      CHECK(asked("Host: evil.example\r\n").find("rollbackd_build_info") == std::string::npos);
      CHECK(begins(asked("Host: localhost:9877\r\n"), "HTTP/1.1 200 "));
      CHECK(begins(asked(""), "HTTP/1.1 200 "));
    }
  }
}

TEST_CASE("a transfer encoding other than chunked is refused, and nothing after it is a request") {
  const Served served("secret");
  const std::string line = "POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n";
  const std::string next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  for (const std::string coding : {"xchunked", "identity", "gzip, chunked", "chunked, chunked"}) {
    CAPTURE(coding);
    const std::string replies = roundtrip(served, line + "Transfer-Encoding: " + coding + "\r\n\r\n0\r\n\r\n" + next);
    CHECK((begins(replies, "HTTP/1.1 501 ") || begins(replies, "HTTP/1.1 400 ")));
    CHECK(replies.find("200 OK") == std::string::npos);
  }
  CHECK(begins(roundtrip(served, line + "Transfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + next),
               "HTTP/1.1 200 "));
  CHECK(begins(roundtrip(served, line + "Authorization: Bearer other\r\n\r\n"), "HTTP/1.1 400 "));
}

TEST_CASE("an answer without a body is an error with words") {
  ApiReply reply;
  reply.status = 503;
  reply.body.clear();
  CHECK(watcher::problem_detail(reply) == "it answered with HTTP status 503 and no word of why");
}

TEST_CASE("the control socket may do everything without a token and knows who asks") {
  Served served;
  const auto reply = watcher::call(served.control(), trusted("POST", "/api/v1/rollback", R"({"service":"web"})"));
  REQUIRE(std::holds_alternative<ApiReply>(reply));
  CHECK(std::get<ApiReply>(reply).status == 200);
  REQUIRE(served.host().requests_.size() == 1);
  CHECK(std::get<rules::RollbackByHand>(served.host().requests_.front()).by == "uid " + std::to_string(geteuid()));
}

TEST_CASE("the control socket's file is for its owner alone, with a group for its members too, and is removed") {
  std::string path;
  {
    const Served served;
    path = served.control();
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
  }
  CHECK_FALSE(std::filesystem::exists(path));
  const TestFolder folder;
  asio::io_context io;
  const auto bound = watcher::bind_control(io.get_executor(), folder.file("c"), std::to_string(getegid()));
  REQUIRE(std::holds_alternative<watcher::ControlSocket>(bound));
  struct stat status {};
  REQUIRE(stat(folder.file("c").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0660);
  CHECK(status.st_gid == getegid());
}

TEST_CASE("who may use the control socket is decided by the kernel's word for who connected") {
  if (geteuid() != 0) {
    MESSAGE("only root can connect as somebody else");
    return;
  }
  constexpr unsigned group = 54321;
  constexpr unsigned stranger = 65534;
  struct Row {
    const char* name;
    std::vector<gid_t> groups;
    gid_t primary;
    bool allowed;
  };
  const Row rows[] = {{"a stranger", {}, stranger, false},
                      {"a member by a supplementary group", {group}, stranger, true},
                      {"a member by its primary group", {}, group, true}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const TestFolder folder;
    asio::io_context io;
    auto bound = watcher::bind_control(io.get_executor(), folder.file("c"), std::to_string(group));
    REQUIRE(std::holds_alternative<watcher::ControlSocket>(bound));
    auto& control = std::get<watcher::ControlSocket>(bound);
    asio::local::stream_protocol::socket client(io);
    // Connected by a child that has become somebody else; the kernel keeps who it was.
    chmod(folder.file("").c_str(), 0755);
    chmod(folder.file("c").c_str(), 0666);
    const pid_t child = fork();
    if (child == 0) {
      const bool changed =
          setgroups(row.groups.size(), row.groups.data()) == 0 && setgid(row.primary) == 0 && setuid(stranger) == 0;
      error_code error;
      client.connect(asio::local::stream_protocol::endpoint(folder.file("c")), error);
      _exit(changed && !error ? 0 : 1);
    }
    asio::local::stream_protocol::socket accepted(io);
    control.acceptor.accept(accepted);
    const watcher::Peer peer = watcher::peer_of(accepted.native_handle(), control.group);
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
    CHECK(peer.allowed == row.allowed);
    CHECK(peer.name == "uid 65534");
    CHECK_FALSE(watcher::peer_of(accepted.native_handle(), std::nullopt).allowed);
  }
}

TEST_CASE("an address in use is a clear error") {
  const Served served;
  watcher::WatcherSection section;
  section.control = "";
  section.listen = "127.0.0.1:" + std::to_string(served.port());
  const std::string wrong = refusal_to_listen(section);
  CHECK(wrong.find("listen " + section.listen + ": Address already in use") != std::string::npos);
  CHECK(wrong.find("watcher.listen") != std::string::npos);
}

TEST_CASE("a control socket on which somebody answers is left alone, one on which nobody does is replaced") {
  const Served served;
  watcher::WatcherSection section;
  section.listen = "off";
  section.control = served.control();
  CHECK(refusal_to_listen(section).find("another rollbackd answers there") != std::string::npos);
  CHECK(std::holds_alternative<ApiReply>(watcher::call(served.control(), trusted("GET", "/healthz"))));
  const TestFolder folder;
  section.control = folder.file("stale");
  {
    asio::io_context io;
    asio::local::stream_protocol::acceptor left(io, section.control);
  }
  REQUIRE(std::filesystem::exists(section.control));
  CHECK(refusal_to_listen(section) == "");
}

TEST_CASE("a control socket that was removed or replaced is noticed, and another's is left alone") {
  const TestFolder folder;
  watcher::WatcherSection section;
  section.listen = "off";
  section.control = folder.file("control.sock");
  asio::io_context io;
  FakeHost host;
  watcher::Metrics metrics;
  watcher::Server server(io.get_executor(), host, metrics);
  REQUIRE(server.listen(section) == "");
  CHECK(server.why_not_reached() == "");
  std::filesystem::rename(section.control, folder.file("ours"));
  CHECK(server.why_not_reached().find("was removed or replaced while we run") != std::string::npos);
  std::ofstream(section.control) << "another's";
  CHECK(server.why_not_reached() != "");
  server.close();
  CHECK(std::filesystem::exists(section.control));
}

TEST_CASE("where the control socket cannot be, the error says why and what to do") {
  const TestFolder folder;
  watcher::WatcherSection section;
  section.listen = "off";
  section.control = folder.file("file");
  std::ofstream(section.control) << "precious";
  CHECK(refusal_to_listen(section).find("something that is not a socket is there") != std::string::npos);
  CHECK(std::filesystem::file_size(section.control) == 8);
  section.control = folder.file("none/such/control.sock");
  CHECK(refusal_to_listen(section).find("is not there; make it, or change watcher.control") != std::string::npos);
  section.control = folder.file(std::string(200, 'x'));
  CHECK(refusal_to_listen(section).find("the path is longer than 107 bytes") != std::string::npos);
  section.control = folder.file("control.sock");
  section.control_group = "no-such-group";
  CHECK(refusal_to_listen(section).find("there is no group no-such-group") != std::string::npos);
}

TEST_CASE("addresses to listen on") {
  const auto port_of = [](const char* text) {
    const auto parsed = watcher::parse_listen(text);
    const auto* endpoint = std::get_if<tcp::endpoint>(&parsed);
    return endpoint == nullptr ? -1 : static_cast<int>(endpoint->port());
  };
  CHECK(port_of("127.0.0.1:9877") == 9877);
  CHECK(port_of("[::1]:9877") == 9877);
  CHECK(port_of("localhost:1") == 1);
  for (const char* wrong :
       {"", "9877", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "no.such.name:1"}) {
    CAPTURE(wrong);
    CHECK(port_of(wrong) == -1);
  }
}

TEST_CASE("where no watcher answers, the client says what to do") {
  const TestFolder folder;
  const auto nobody = watcher::call(folder.file("none"), trusted("GET", "/healthz"));
  REQUIRE(std::holds_alternative<std::string>(nobody));
  CHECK(std::get<std::string>(nobody).find("is `rollbackd run` running") != std::string::npos);
  asio::io_context io;
  const asio::local::stream_protocol::acceptor silent(io, folder.file("silent"));
  const auto hung = watcher::call(folder.file("silent"), trusted("GET", "/healthz"), std::chrono::milliseconds(20));
  REQUIRE(std::holds_alternative<std::string>(hung));
  CHECK(std::get<std::string>(hung).find("no answer within 20ms") != std::string::npos);
}
