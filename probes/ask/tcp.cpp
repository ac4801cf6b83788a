#include "probes/ask/frame.hpp"
#include "probes/key_rows.hpp"
#include "probes/net/dial.hpp"
#include "probes/parse/names.hpp"
#include "probes/probe.hpp"

namespace probes {

namespace {

// Up when a connection can be opened. Nothing is sent.
class Tcp final : public Probe {
 public:
  Tcp(const ProbeConfig& config, const TcpProbe& what, Surroundings around)
      : frame_(config, 0, around.clock),
        resolver_(around.resolver),
        host_(what.host),
        port_(what.port),
        timeout_(config.timeout) {}

  asio::awaitable<rules::Poll> poll() override {
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto executor = co_await asio::this_coro::executor;
    const rules::Instant started = frame_.now();
    Connection connection(executor);
    Deadline deadline(executor);
    deadline.arm(timeout_, [&connection] { connection.cancel(); });
    std::optional<rules::Fault> fault = co_await dial(resolver_, connection, host_, port_, deadline);
    co_return frame_.finish(started, {}, std::move(fault));
  }

 private:
  PollFrame frame_;
  Resolver& resolver_;
  std::string host_;
  std::uint16_t port_;
  rules::Duration timeout_;
};

constexpr std::array keys{
    key<Kind::string, &TcpProbe::host>("host", "The address or name to connect to.")
        .checked(wrong_host)
        .required("write host = \"127.0.0.1\""),
    key<Kind::integer, &TcpProbe::port>("port", "The port to connect to.")
        .between(1, 65535)
        .required("write port = 5432"),
};

}  // namespace

ProbeList TcpProbe::make(const ProbeConfig& config, Surroundings around) const {
  ProbeList probes;
  probes.push_back(std::make_unique<Tcp>(config, *this, around));
  return probes;
}

Variety TcpProbe::variety() {
  return probes::variety<ProbeKind, TcpProbe>("tcp", "Up when a connection can be opened; nothing is sent.", keys);
}

}  // namespace probes
