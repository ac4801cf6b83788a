#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "probes/net/resolver.hpp"
#include "run_here.hpp"

namespace {

using namespace std::chrono_literals;
using probes::Resolver;
using rules::FaultKind;

// A name server that hangs on names beginning with "hung" until it is released; outlives the resolver.
struct NameServer {
  std::mutex mutex;
  std::condition_variable released;
  bool open = false;
  std::atomic<int> asked{0};

  Resolver::Found look_up(const std::string& host) {
    ++asked;
    std::unique_lock lock(mutex);
    if (host.starts_with("hung")) released.wait(lock, [this] { return open; });
    if (host.starts_with("wrong")) return {{}, {FaultKind::dns, "look up " + host + ": unknown"}};
    return {{boost::asio::ip::make_address("127.0.0.7")}, {}};
  }
  void release() {
    const std::lock_guard lock(mutex);
    open = true;
    released.notify_all();
  }
};

struct Fixture {
  std::shared_ptr<NameServer> names = std::make_shared<NameServer>();
  boost::asio::io_context loop;
  std::unique_ptr<Resolver> resolver =
      std::make_unique<Resolver>([names = names](const std::string& host) { return names->look_up(host); });

  Resolver::Answer resolve(const std::string& host, rules::Duration limit = 10s) {
    return tests::run_on(loop, resolver->resolve(host, 80, limit));
  }
  // Asks until the lookup is under way: its thread starts when the machine has time for it.
  void hang_on(const std::string& host) {
    for (const int before = names->asked; names->asked == before;) CHECK(resolve(host, 5ms).endpoints.empty());
  }
  ~Fixture() { names->release(); }
};

}  // namespace

TEST_CASE("literal addresses are not looked up") {
  Fixture it;
  CHECK(it.resolve("127.0.0.1").endpoints.front().port() == 80);
  CHECK(it.resolve("::1").endpoints.front().address().is_v6());
  CHECK(it.names->asked == 0);
}

TEST_CASE("an answer is kept, until it is forgotten") {
  Fixture it;
  CHECK_FALSE(it.resolve("app").cached);
  const Resolver::Answer again = it.resolve("app");
  CHECK(again.cached);
  CHECK(again.endpoints.front().address().to_string() == "127.0.0.7");
  CHECK(it.names->asked == 1);
  it.resolver->forget("app");
  CHECK_FALSE(it.resolve("app").cached);
  CHECK(it.names->asked == 2);
}

TEST_CASE(
    "SPEC 2.3: a wrong name and a name server that does not answer are the fault dns, never a time-out of the target") {
  Fixture it;
  CHECK(it.resolve("wrong").fault.kind == FaultKind::dns);
  const Resolver::Answer hung = it.resolve("hung", 30ms);
  CHECK(hung.endpoints.empty());
  CHECK(hung.fault.kind == FaultKind::dns);
  CHECK(hung.fault.what.find("no answer in 30ms") != std::string::npos);
}

TEST_CASE("names that hang do not keep others from being looked up, and are asked for once each") {
  Fixture it;
  for (int i = 0; i < 10; ++i) {
    it.hang_on("hung" + std::to_string(i));
    CHECK(it.resolve("hung" + std::to_string(i), 5ms).endpoints.empty());
  }
  CHECK(it.resolve("app").endpoints.size() == 1);
  CHECK(it.names->asked == 11);
}

TEST_CASE("a lookup that hung and then answered serves who asks next") {
  Fixture it;
  it.hang_on("hung");
  it.names->release();
  CHECK(it.resolve("hung").endpoints.size() == 1);
}

TEST_CASE("the end of the resolver waits for no lookup") {
  Fixture it;
  it.hang_on("hung");
  it.resolver.reset();
  CHECK(it.names->asked == 1);
}
