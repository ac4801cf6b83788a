#include "probes/net/dial.hpp"

namespace probes {

asio::awaitable<std::optional<rules::Fault>> dial(Resolver& resolver, Connection& connection, std::string host,
                                                  std::uint16_t port, Deadline& deadline) {
  for (;;) {
    Resolver::Answer answer = co_await resolver.resolve(host, port, deadline.left());
    if (answer.endpoints.empty()) co_return std::move(answer.fault);
    std::optional<rules::Fault> fault = co_await connection.connect(std::move(answer.endpoints), deadline);
    if (!fault) co_return fault;
    resolver.forget(host);
    const bool final = !answer.cached || deadline.passed() || fault->kind == rules::FaultKind::cancelled;
    if (final) co_return fault;
  }
}

}  // namespace probes
