#include "watcher/serve/bind.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <system_error>
#include <utility>

#include "watcher/serve/doors.hpp"
#include "watcher/serve/group.hpp"

namespace watcher {

namespace {

using asio::ip::tcp;
using local = asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t path_max = sizeof(sockaddr_un::sun_path) - 1;
constexpr mode_t only_ours = 0600;
constexpr mode_t group_too = 0660;
constexpr mode_t folder_mode = 0755;

std::string failed(const std::string& attempt, const std::string& what, const std::string& advice) {
  return attempt + ": " + what + "; " + advice;
}

std::string errno_text() { return std::generic_category().message(errno); }

error_code bind_to(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  // Connections of before a restart that still linger must not keep us from starting.
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  return error;
}

std::string why_not_served(const std::string& listen, error_code error) {
  return failed("listen " + listen, error.message(),
                "does another program, or another rollbackd, use it? choose another watcher.listen, or \"off\"");
}

// Makes way for our socket. Returns what stands in it.
std::optional<std::string> make_way(const asio::any_io_executor& executor, const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  if (!folder.empty() && folder != path) mkdir(folder.c_str(), folder_mode);
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return std::nullopt;
  if (!S_ISSOCK(status.st_mode)) return "something that is not a socket is there; remove it, or change watcher.control";
  if (somebody_answers(executor, path)) {
    return "another rollbackd answers there; stop it, or give this one its own watcher.control";
  }
  unlink(path.c_str());
  return std::nullopt;
}

// Between bind and listen nobody can connect yet: the time to say who may.
std::optional<std::string> admit(const std::string& path, std::optional<unsigned> group) {
  if (group && chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) return errno_text();
  if (chmod(path.c_str(), group ? group_too : only_ours) != 0) return errno_text();
  return std::nullopt;
}

}  // namespace

std::variant<tcp::endpoint, std::string> parse_listen(const std::string& text) {
  const std::string expected = "listen " + text + ": expected an address and a port such as 127.0.0.1:9877, or \"off\"";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return expected;
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, port);
  if (read.ec != std::errc() || read.ptr != end) return expected;
  std::string host = text.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return expected;
  return tcp::endpoint(address, port);
}

std::variant<tcp::acceptor, std::string> bind_tcp(const asio::any_io_executor& executor, const std::string& listen) {
  auto parsed = parse_listen(listen);
  if (auto* wrong = std::get_if<std::string>(&parsed)) return std::move(*wrong);
  tcp::acceptor acceptor(executor);
  error_code error = bind_to(acceptor, std::get<tcp::endpoint>(parsed));
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return acceptor;
  return why_not_served(listen, error);
}

std::string why_not_bound(const asio::any_io_executor& executor, const std::string& listen) {
  const auto parsed = parse_listen(listen);
  if (const auto* wrong = std::get_if<std::string>(&parsed)) return *wrong;
  tcp::acceptor acceptor(executor);
  const error_code error = bind_to(acceptor, std::get<tcp::endpoint>(parsed));
  return error ? why_not_served(listen, error) : std::string();
}

bool somebody_answers(const asio::any_io_executor& executor, const std::string& path) {
  if (path.size() > path_max) return false;
  local::socket socket(executor);
  error_code error;
  socket.open(local(), error);
  // Who answers and has a full row must not make us wait.
  const local::endpoint there(path);
  if (error || fcntl(socket.native_handle(), F_SETFL, O_NONBLOCK) != 0) return false;
  return ::connect(socket.native_handle(), there.data(), static_cast<socklen_t>(there.size())) == 0 || errno == EAGAIN;
}

std::variant<ControlSocket, std::string> bind_control(const asio::any_io_executor& executor, const std::string& path,
                                                      const std::string& group) {
  const std::string attempt = "control socket " + path;
  const std::string advice = "does the folder exist, and may we write there? watcher.control says where it is";
  if (path.size() > path_max) return attempt + ": the path is longer than " + std::to_string(path_max) + " bytes";
  std::optional<unsigned> members;
  if (!group.empty()) {
    auto id = group_id(group);
    if (auto* wrong = std::get_if<std::string>(&id)) return attempt + ": " + *wrong;
    members = std::get<unsigned>(id);
  }
  if (std::string why = why_not_control(path); !why.empty()) return why;
  if (const auto obstacle = make_way(executor, path)) return attempt + ": " + *obstacle;
  local::acceptor acceptor(executor);
  error_code error;
  acceptor.open(local(), error);
  if (!error) acceptor.bind(local::endpoint(path), error);
  if (error) return failed(attempt, error.message(), advice);
  if (const auto refusal = admit(path, members)) return failed(attempt, *refusal, advice);
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(attempt, error.message(), advice);
  return ControlSocket{std::move(acceptor), members};
}

}  // namespace watcher
