#include "watcher/run/life_sign.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>
#include <variant>

#include "probes/net/cancelled.hpp"
#include "probes/net/http_client.hpp"
#include "watcher/run/log.hpp"

namespace watcher {

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr rules::Duration limit = std::chrono::seconds(10);
constexpr rules::Duration look_again = std::chrono::seconds(10);  // whether a reload has named one
constexpr std::int64_t answer_max = 16 * 1024;                    // bytes

}  // namespace

LifeSign::LifeSign(asio::io_context& io, probes::Resolver& resolver, Section section, WhyNot why_not)
    : io_(io), resolver_(resolver), section_(std::move(section)), why_not_(std::move(why_not)) {}

// Empty: it was heard.
asio::awaitable<std::string> LifeSign::give(std::string url) {
  probes::HttpRequest wanted;
  wanted.url = std::move(url);
  wanted.headers = {{"User-Agent", "rollbackd/" ROLLBACKD_VERSION}};
  wanted.limit = limit;
  wanted.body_max = answer_max;
  const probes::PreparedRequest request(std::move(wanted));
  if (request.fault()) co_return request.fault()->what;
  probes::TlsOptions tls;
  probes::HttpClient client(resolver_, std::move(tls));
  const auto answer = co_await client.fetch(request);
  if (const auto* fault = std::get_if<rules::Fault>(&answer)) co_return fault->what;
  const unsigned status = std::get<probes::HttpReply>(answer).status;
  co_return status >= 200 && status < 300 ? std::string() : "status " + std::to_string(status);
}

void LifeSign::note(const std::string& trouble) {
  if (trouble == trouble_) return;
  if (trouble.empty())
    log_info("heartbeat", "what=\"it is heard again\"");
  else
    log_warning("heartbeat", "what=" + log_value(trouble));
  trouble_ = trouble;
}

rules::Duration LifeSign::until_next() const { return section_().heartbeat ? section_().heartbeat_every : look_again; }

asio::awaitable<void> LifeSign::loop() {
  asio::steady_timer timer(io_);
  for (;;) {
    const bool is_wanted = section_().heartbeat.has_value();
    std::string trouble = is_wanted ? why_not_() : std::string();
    if (!trouble.empty()) trouble = "not given: " + trouble;
    if (is_wanted && trouble.empty()) {
      std::string url = section_().heartbeat->value;
      trouble = co_await give(std::move(url));
    }
    const bool ended_meanwhile = co_await probes::cancelled();
    if (ended_meanwhile) co_return;
    note(trouble);
    // By pieces: a reload may want it sooner.
    rules::Duration waited{};
    while (waited < until_next()) {
      const rules::Duration piece = std::min(until_next() - waited, look_again);
      timer.expires_after(piece);
      co_await timer.async_wait(as_result);
      const bool ended = co_await probes::cancelled();
      if (ended) co_return;
      waited += piece;
    }
  }
}

}  // namespace watcher
