#include "probes/net/tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <map>
#include <tuple>

namespace probes {

namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

// CA file, its time of change in nanoseconds, whether it is verified against.
using ContextKey = std::tuple<std::string, std::int64_t, bool>;

std::int64_t changed_at(const std::string& path) {
  struct stat found {};
  if (path.empty() || stat(path.c_str(), &found) != 0) return 0;
  constexpr std::int64_t ns_per_s = 1'000'000'000;
  return found.st_mtim.tv_sec * ns_per_s + found.st_mtim.tv_nsec;
}

std::string last_error() {
  const unsigned long code = ERR_get_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "TLS failed" : reason;
}

std::variant<Context, std::string> make_context(const TlsOptions& options) {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return "set up TLS: " + last_error();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  if (!options.verify) return context;
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (options.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_locations(context.get(), options.ca_file.c_str(), nullptr) != 1) {
    return "read certificates from " + options.ca_file + ": " + last_error();
  }
  return context;
}

// The system's certificates take megabytes and milliseconds: connections of a thread with equal options share them.
// The pointer stays valid until the CA file changes; a session holds a reference of its own.
std::variant<SSL_CTX*, std::string> shared_context(const TlsOptions& options) {
  static thread_local std::map<ContextKey, Context> contexts;
  const ContextKey key(options.ca_file, changed_at(options.ca_file), options.verify);
  const auto known = contexts.find(key);
  if (known != contexts.end()) return known->second.get();
  auto made = make_context(options);
  if (auto* error = std::get_if<std::string>(&made)) return *error;
  std::erase_if(contexts, [&](const auto& entry) {
    return std::get<0>(entry.first) == options.ca_file && std::get<2>(entry.first) == options.verify;
  });
  return contexts.emplace(key, std::move(std::get<Context>(made))).first->second.get();
}

bool expect_host(SSL* ssl, const TlsOptions& options, const std::string& host) {
  const std::string& name = options.server_name.empty() ? host : options.server_name;
  boost::system::error_code not_address;
  boost::asio::ip::make_address(name, not_address);
  X509_VERIFY_PARAM* verification = SSL_get0_param(ssl);
  if (!not_address) return X509_VERIFY_PARAM_set1_ip_asc(verification, name.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // What SSL_set_tlsext_host_name() does, without its C cast.
  char* const indicated = const_cast<char*>(name.c_str());
  return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, indicated) == 1 &&
         X509_VERIFY_PARAM_set1_host(verification, name.c_str(), name.size()) == 1;
}

}  // namespace

// OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE.
struct SocketBio {
  static int write(BIO* bio, const char* bytes, int count) {
    TlsSession& session = *static_cast<TlsSession*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const ssize_t sent = send(session.socket_, bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<int>(sent);
    if (errno == EAGAIN || errno == EINTR) BIO_set_retry_write(bio);
    session.socket_error_ = errno;
    return -1;
  }

  static int read(BIO* bio, char* into, int size) {
    TlsSession& session = *static_cast<TlsSession*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const ssize_t count = recv(session.socket_, into, static_cast<std::size_t>(size), 0);
    if (count > 0) return static_cast<int>(count);
    if (count == 0) session.ended_ = true;
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    if (count < 0) session.socket_error_ = errno;
    return static_cast<int>(count);
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* table = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
      BIO_meth_set_write(table, write);
      BIO_meth_set_read(table, read);
      BIO_meth_set_ctrl(table, control);
      return table;
    }();
    return made;
  }
};

std::string wrong_ca_file(const std::string& path) {
  TlsOptions options;
  options.ca_file = path;
  const auto made = make_context(options);
  const auto* const error = std::get_if<std::string>(&made);
  return error == nullptr ? std::string() : *error + "; is it a PEM file that this user may read?";
}

void TlsSession::FreeSsl::operator()(SSL* ssl) const { SSL_free(ssl); }

TlsSession::~TlsSession() = default;

std::variant<std::unique_ptr<TlsSession>, std::string> TlsSession::make(const TlsOptions& options,
                                                                        const std::string& host, int socket) {
  const auto context = shared_context(options);
  if (const auto* error = std::get_if<std::string>(&context)) return *error;
  std::unique_ptr<TlsSession> session(new TlsSession(socket));
  session->ssl_.reset(SSL_new(std::get<SSL_CTX*>(context)));
  BIO* bio = BIO_new(SocketBio::method());
  if (!session->ssl_ || bio == nullptr || !expect_host(session->ssl_.get(), options, host)) {
    BIO_free(bio);
    return "set up TLS for " + host + ": " + last_error();
  }
  BIO_set_data(bio, session.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(session->ssl_.get(), bio, bio);
  SSL_set_connect_state(session->ssl_.get());
  return session;
}

namespace {

// Many servers do; whether what they sent is whole, HTTP may tell.
TlsSession::Step closed_unsaid() {
  TlsSession::Step step;
  step.next = TlsSession::Next::closed;
  step.said = false;
  return step;
}

}  // namespace

TlsSession::Step TlsSession::step_after(int returned) {
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {Next::wait_read, 0, 0, {}};
    case SSL_ERROR_WANT_WRITE:
      return {Next::wait_write, 0, 0, {}};
    case SSL_ERROR_ZERO_RETURN:
      return {Next::closed, 0, 0, {}};
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      if (ended_) return closed_unsaid();
      return {Next::broken, 0, socket_error_, {}};
    default:
      break;
  }
  // Many servers close without saying so in TLS; whether the answer is whole is for HTTP to tell.
  if (ended_) {
    ERR_clear_error();
    return closed_unsaid();
  }
  const long verified = SSL_get_verify_result(ssl_.get());
  const std::string reason = last_error();
  if (verified == X509_V_OK) return {Next::refused, 0, 0, reason};
  return {Next::refused, 0, 0, X509_verify_cert_error_string(verified)};
}

TlsSession::Step TlsSession::handshake() {
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_.get());
  if (returned == 1) return {};
  return step_after(returned);
}

TlsSession::Step TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  std::size_t written = 0;
  const int returned = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
  if (returned == 1) return {Next::done, written, 0, {}};
  return step_after(returned);
}

TlsSession::Step TlsSession::read(char* into, std::size_t size) {
  ERR_clear_error();
  std::size_t count = 0;
  const int returned = SSL_read_ex(ssl_.get(), into, size, &count);
  if (returned == 1) return {Next::done, count, 0, {}};
  return step_after(returned);
}

}  // namespace probes
