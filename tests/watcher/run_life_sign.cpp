#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>

#include "journal_support.hpp"
#include "notify_receiver.hpp"
#include "watcher/run/life_sign.hpp"

using journal_support::contains;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// A loop that runs until `enough` holds.
void run_until(watcher::WatcherSection& section, std::string& why_not, const std::function<bool()>& enough) {
  asio::io_context io;
  probes::Resolver resolver;
  watcher::LifeSign sign(
      io, resolver, [&]() -> const watcher::WatcherSection& { return section; }, [&] { return why_not; });
  asio::cancellation_signal stop;
  bool ended = false;
  asio::co_spawn(io, sign.loop(), asio::bind_cancellation_slot(stop.slot(), [&](auto&&...) { ended = true; }));
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (!enough() && std::chrono::steady_clock::now() < until) io.run_one_for(20ms);
  CHECK(enough());
  stop.emit(asio::cancellation_type::terminal);
  while (!ended) io.run_one_for(20ms);
}

}  // namespace

TEST_CASE("a sign of life is given again and again, and the address is asked with nothing but a GET") {
  const notify_receiver::Receiver receiver([](const std::string&) { return notify_receiver::status("200 OK"); });
  watcher::WatcherSection section;
  section.heartbeat = rules::Text{receiver.url("/ping/abc"), true};
  section.heartbeat_every = 10ms;
  std::string why_not;
  run_until(section, why_not, [&] { return receiver.requests().size() >= 3; });
  CHECK(receiver.requests()[0].starts_with("GET /ping/abc HTTP/1.1\r\n"));
}

TEST_CASE("a watcher that could not act gives no sign of life, and gives one again when it could") {
  watcher::WatcherSection section;
  std::string why_not = "the disk is full";
  int asked = 0;
  const notify_receiver::Receiver receiver([](const std::string&) { return notify_receiver::status("200 OK"); });
  section.heartbeat = rules::Text{receiver.url("/ping"), true};
  section.heartbeat_every = 10ms;
  run_until(section, why_not, [&] { return ++asked > 10; });
  CHECK(receiver.requests().empty());
  why_not.clear();
  run_until(section, why_not, [&] { return !receiver.requests().empty(); });
}

TEST_CASE("whoever does not answer keeps nobody from giving the next sign") {
  const notify_receiver::Receiver receiver([](const std::string&) { return notify_receiver::status("500 No"); });
  watcher::WatcherSection section;
  section.heartbeat = rules::Text{receiver.url("/ping"), true};
  section.heartbeat_every = 10ms;
  std::string why_not;
  run_until(section, why_not, [&] { return receiver.requests().size() >= 2; });
}
