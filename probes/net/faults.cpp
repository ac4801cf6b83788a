#include "probes/net/faults.hpp"

#include <boost/asio/error.hpp>
#include <cerrno>

#include "rules/base/parse.hpp"

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;

Fault system_fault(const std::string& attempt, int error, const std::string& message) {
  switch (error) {
    case ECONNREFUSED:
      return {FaultKind::refused, attempt + ": refused; is the application running?"};
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return {FaultKind::reset, attempt + ": the connection was reset; see the application's log"};
    case ETIMEDOUT:
      return {FaultKind::timeout, attempt + ": no answer; is the host up, does a firewall drop packets?"};
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EACCES:
    case EPERM:
    case EINVAL:
    case EAFNOSUPPORT:
      return {FaultKind::no_route, attempt + ": " + message + "; check routes and firewall of this host"};
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:
      return {FaultKind::no_descriptors, attempt + ": " + message + "; raise LimitNOFILE or free ports of this host"};
    default:
      return {FaultKind::not_measurable, attempt + ": " + message};
  }
}

}  // namespace

Fault network_fault(const std::string& attempt, const boost::system::error_code& error) {
  if (error == boost::asio::error::eof) {
    return {FaultKind::reset, attempt + ": closed before the answer was whole; see the application's log"};
  }
  return system_fault(attempt, error.value(), error.message());
}

Fault timeout_fault(const std::string& attempt, rules::Duration limit) {
  return {FaultKind::timeout,
          attempt + ": no whole answer in " + rules::to_string(limit) + "; is the application stuck?"};
}

Fault cancelled_fault(const std::string& attempt) { return {FaultKind::cancelled, attempt + ": cancelled"}; }

}  // namespace probes
