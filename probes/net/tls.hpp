#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "probes/config.hpp"

namespace probes {

// The client's side of TLS over a non-blocking socket that somebody else waits for. Certificates are verified for the
// host's name, or for the address when the host is one.
class TlsSession {
 public:
  // An error for people when the CA file cannot be read.
  static std::variant<std::unique_ptr<TlsSession>, std::string> make(const TlsOptions& options, const std::string& host,
                                                                     int socket);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  enum class Next {
    done,        // `count` bytes were read or written
    wait_read,   // again when the socket is readable
    wait_write,  // again when it is writable
    closed,      // the peer closed
    broken,      // the socket failed with `error`
    refused,     // TLS failed: `what`
  };
  struct Step {
    Next next = Next::done;
    std::size_t count = 0;
    int error = 0;
    std::string what;
    bool said = true;  // closed: the peer ended TLS before it closed
  };
  Step handshake();
  Step write(std::string_view bytes);
  Step read(char* into, std::size_t size);

 private:
  friend struct SocketBio;
  struct FreeSsl {
    void operator()(SSL* ssl) const;
  };
  explicit TlsSession(int socket) : socket_(socket) {}
  Step step_after(int returned);

  int socket_;
  int socket_error_ = 0;  // errno of the last failed read or write
  bool ended_ = false;    // the peer closed the connection under TLS
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

// What is wrong with a file of certificates; empty when nothing is.
std::string wrong_ca_file(const std::string& path);

}  // namespace probes
