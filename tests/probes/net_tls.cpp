#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "probes/net/http_client.hpp"
#include "run_here.hpp"
#include "scripted_server.hpp"
#include "test_folder.hpp"

namespace {

using namespace std::chrono_literals;
using probes::HttpReply;
using probes::TlsOptions;
using rules::Fault;
using rules::FaultKind;
using Outcome = std::variant<HttpReply, Fault>;

// A certificate authority and a server's certificate for app.example and 127.0.0.1, made by the openssl command.
struct Certificates {
  TestFolder folder;
  Certificates() {
    std::ofstream(file("san")) << "subjectAltName=DNS:app.example,IP:127.0.0.1\n";
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem");
    openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=app -keyout app.key -out app.csr");
    openssl("x509 -req -in app.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out app.pem");
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x -keyout x.key -out "
        "other.pem");
  }
  std::string file(const std::string& name) const { return folder.file(name); }
  void openssl(const std::string& arguments) const {
    const std::string command = "cd " + folder.path + " && openssl " + arguments + " >>log 2>&1";
    REQUIRE(std::system(command.c_str()) == 0);
  }
};

// `openssl s_server -www`: a TLS server that is not ours, and answers any GET with a page.
class TlsServer {
 public:
  explicit TlsServer(const Certificates& made) {
    std::array<int, 2> out{};
    REQUIRE(pipe2(out.data(), O_CLOEXEC) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(open("/dev/null", O_RDWR), 0);
      dup2(out[1], 1);
      dup2(0, 2);
      execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", made.file("app.pem").c_str(),
             "-key", made.file("app.key").c_str(), nullptr);
      _exit(1);
    }
    ::close(out[1]);
    FILE* const lines = fdopen(out[0], "r");
    std::array<char, 256> line{};
    while (port_ == 0 && fgets(line.data(), line.size(), lines) != nullptr) {
      const std::string text(line.data());
      if (text.starts_with("ACCEPT")) port_ = std::atoi(text.substr(text.rfind(':') + 1).c_str());
    }
    output_ = lines;
    REQUIRE(port_ != 0);
  }
  ~TlsServer() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    fclose(output_);
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  std::string url(const std::string& host) const { return "https://" + host + ":" + std::to_string(port_) + "/"; }

 private:
  pid_t pid_ = -1;
  int port_ = 0;
  FILE* output_ = nullptr;
};

// Answers one request without a length, ends TLS or does not, and closes.
class EndingServer {
 public:
  EndingServer(const Certificates& made, bool says_so) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(listen(listener_, 1) == 0);
    REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    url_ = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
    context_ = SSL_CTX_new(TLS_server_method());
    REQUIRE(SSL_CTX_use_certificate_file(context_, made.file("app.pem").c_str(), SSL_FILETYPE_PEM) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey_file(context_, made.file("app.key").c_str(), SSL_FILETYPE_PEM) == 1);
    thread_ = std::thread([this, says_so] { answer(says_so); });
  }
  ~EndingServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
    SSL_CTX_free(context_);
  }
  EndingServer(const EndingServer&) = delete;
  EndingServer& operator=(const EndingServer&) = delete;
  const std::string& url() const { return url_; }

 private:
  void answer(bool says_so) const {
    const int connection = accept(listener_, nullptr, nullptr);
    SSL* const tls = SSL_new(context_);
    SSL_set_fd(tls, connection);
    std::array<char, 4096> request{};
    const std::string reply = "HTTP/1.0 200 OK\r\n\r\nall_total 12\n";
    if (SSL_accept(tls) == 1 && SSL_read(tls, request.data(), static_cast<int>(request.size())) > 0 &&
        SSL_write(tls, reply.data(), static_cast<int>(reply.size())) > 0 && says_so)
      SSL_shutdown(tls);
    SSL_free(tls);
    close(connection);
  }

  int listener_ = -1;
  std::string url_;
  SSL_CTX* context_ = nullptr;
  std::thread thread_;
};

Outcome get(const std::string& url, const TlsOptions& tls) {
  boost::asio::io_context loop;
  probes::Resolver resolver([](const std::string&) {
    return probes::Resolver::Found{{boost::asio::ip::make_address("127.0.0.1")}, {}};
  });
  probes::HttpClient client(resolver, tls);
  probes::HttpRequest request;
  request.url = url;
  request.limit = 10s;
  return tests::run_on(loop, client.fetch(probes::PreparedRequest(std::move(request))));
}

std::string what_of(const Outcome& outcome) {
  const auto* const fault = std::get_if<Fault>(&outcome);
  return fault == nullptr ? "" : fault->what;
}

void check_fault(const Outcome& outcome, FaultKind kind, const std::string& part) {
  const auto* const fault = std::get_if<Fault>(&outcome);
  REQUIRE(fault != nullptr);
  CHECK(fault->kind == kind);
  CHECK_MESSAGE(fault->what.find(part) != std::string::npos, fault->what);
}

}  // namespace

TEST_CASE("SPEC 2.3: TLS is verified for name and address, and a bad certificate is a fault of the measuring path") {
  const Certificates made;
  const TlsServer server(made);
  TlsOptions tls;
  tls.ca_file = made.file("ca.pem");
  for (const std::string host : {"app.example", "127.0.0.1"}) {
    const Outcome outcome = get(server.url(host), tls);
    CHECK(what_of(outcome) == "");
    CHECK(std::get<HttpReply>(outcome).status == 200);
    CHECK_FALSE(std::get<HttpReply>(outcome).body.empty());
  }
  check_fault(get(server.url("elsewhere.example"), tls), FaultKind::tls, "mismatch");
  TlsOptions other_address = tls;
  other_address.server_name = "127.0.0.2";
  check_fault(get(server.url("127.0.0.1"), other_address), FaultKind::tls, "mismatch");

  TlsOptions named = tls;
  named.server_name = "app.example";
  CHECK(what_of(get(server.url("elsewhere.example"), named)) == "");

  TlsOptions stranger;
  stranger.ca_file = made.file("other.pem");
  check_fault(get(server.url("app.example"), stranger), FaultKind::tls, "certificate");
  check_fault(get(server.url("app.example"), {}), FaultKind::tls, "certificate");
  stranger.verify = false;
  CHECK(what_of(get(server.url("app.example"), stranger)) == "");

  TlsOptions missing;
  missing.ca_file = made.file("no-such-file.pem");
  check_fault(get(server.url("app.example"), missing), FaultKind::tls, "no-such-file.pem");

  // The file is read again once it has changed.
  std::filesystem::copy_file(made.file("other.pem"), made.file("changing.pem"));
  TlsOptions changing;
  changing.ca_file = made.file("changing.pem");
  check_fault(get(server.url("app.example"), changing), FaultKind::tls, "certificate");
  std::filesystem::copy_file(made.file("ca.pem"), made.file("changing.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(what_of(get(server.url("app.example"), changing)) == "");
}

TEST_CASE("SPEC 2.3: no TLS behind https is a tls fault, a reset or silence during the handshake is evidence") {
  const auto https = [](const tests::ScriptedServer& server) {
    return "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  };
  const tests::ScriptedServer plain([](tests::Peer& peer) {
    peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    peer.wait_closed();
  });
  check_fault(get(https(plain), {}), FaultKind::tls, "TLS handshake with 127.0.0.1:");
  const tests::ScriptedServer resets([](tests::Peer& peer) { peer.reset(); });
  check_fault(get(https(resets), {}), FaultKind::reset, "127.0.0.1:");
}

TEST_CASE("SPEC 2.5: whether TLS was ended before the connection is told of a body that ends with it") {
  const Certificates made;
  TlsOptions tls;
  tls.ca_file = made.file("ca.pem");
  for (const bool says_so : {true, false}) {
    const EndingServer server(made, says_so);
    const Outcome outcome = get(server.url(), tls);
    CHECK(what_of(outcome) == "");
    CHECK(std::get<HttpReply>(outcome).body == "all_total 12\n");
    CHECK(std::get<HttpReply>(outcome).body_end == (says_so ? probes::BodyEnd::closed : probes::BodyEnd::unsaid));
  }
}
