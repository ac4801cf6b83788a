#include "probes/net/resolver.hpp"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "probes/net/descriptors.hpp"
#include "probes/net/result.hpp"
#include "rules/base/parse.hpp"

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;
using Time = asio::steady_timer::time_point;

constexpr std::size_t threads_max = 64;  // names that may hang before others wait; a thread lives for its lookups only
constexpr std::size_t names_max = 4096;  // cache entries; beyond it settled ones are dropped
constexpr auto ttl_found = std::chrono::seconds(10);            // a name that moves is followed within this time
constexpr auto ttl_not_found = std::chrono::milliseconds(500);  // one lookup for many probes of a wrong name

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

Fault lookup_fault(const std::string& host, int error, int system_error) {
  // Without a descriptor for /etc/hosts or a socket, getaddrinfo may also say that the name is unknown.
  const bool ours = error == EAI_MEMORY || system_error == EMFILE || system_error == ENFILE || out_of_descriptors();
  if (ours) return {FaultKind::no_descriptors, "look up " + host + ": out of descriptors or memory; raise LimitNOFILE"};
  const std::string why = error == EAI_SYSTEM ? std::strerror(system_error) : gai_strerror(error);
  return {FaultKind::dns, "look up " + host + ": " + why + "; is the name right and the name server reachable?"};
}

Resolver::Found look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  errno = 0;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  if (error != 0) return {{}, lookup_fault(host, error, errno)};
  const std::unique_ptr<addrinfo, FreeAddresses> list(raw);
  Resolver::Found found;
  for (const addrinfo* at = list.get(); at != nullptr; at = at->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (at->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), at->ai_addr, at->ai_addrlen);
    endpoint.resize(at->ai_addrlen);
    if (std::find(found.addresses.begin(), found.addresses.end(), endpoint.address()) == found.addresses.end()) {
      found.addresses.push_back(endpoint.address());
    }
  }
  if (found.addresses.empty()) found.fault = {FaultKind::dns, "look up " + host + ": the name has no address"};
  return found;
}

Resolver::Answer with_port(const Resolver::Found& found, std::uint16_t port, bool cached) {
  Resolver::Answer answer{{}, found.fault, cached};
  for (const asio::ip::address& address : found.addresses) answer.endpoints.emplace_back(address, port);
  return answer;
}

// One coroutine that waits for a name. Its timer is its limit and, cancelled, its bell.
struct Waiter {
  explicit Waiter(const asio::any_io_executor& executor) : timer(executor) {}
  asio::steady_timer timer;
};
using SharedWaiter = std::shared_ptr<Waiter>;  // shared with the handler that rings

// Posted, because Asio's timers are not for several threads.
void ring(const SharedWaiter& waiter) {
  asio::post(waiter->timer.get_executor(), [waiter] { waiter->timer.cancel(); });
}

Time present(const asio::any_io_executor& executor) {
  return asio::steady_timer(executor, Time::duration::zero()).expiry();
}

}  // namespace

struct Resolver::State {
  struct Entry {
    std::optional<Found> found;         // none: a lookup is queued or under way
    std::optional<Time> expires;        // set by the first who takes the answer: the pool's threads read no clock
    std::vector<SharedWaiter> waiting;  // each removes itself, so that the pool never posts to a loop that is gone
  };

  explicit State(Lookup lookup_) : lookup(std::move(lookup_)) {}

  const Lookup lookup;
  std::mutex mutex;  // guards what follows
  std::map<std::string, Entry> names;
  std::deque<std::string> queue;
  std::size_t threads = 0;
  bool closed = false;

  std::optional<Found> take(const std::string& host, Time now);
  bool join(const std::string& host, const SharedWaiter& waiter);
  void leave(const std::string& host, const SharedWaiter& waiter);
  void settle(const std::string& host, Found found);
  std::optional<std::string> next();
  static void start_thread(const std::shared_ptr<State>& state, const std::string& host);
  struct Membership;
};

// A cached answer that has not expired.
std::optional<Resolver::Found> Resolver::State::take(const std::string& host, Time now) {
  const std::lock_guard lock(mutex);
  const auto known = names.find(host);
  if (known == names.end() || !known->second.found) return std::nullopt;
  Entry& entry = known->second;
  if (!entry.expires) {
    Time::duration ttl = ttl_found;
    if (entry.found->addresses.empty()) ttl = ttl_not_found;
    entry.expires = now + ttl;
  }
  if (now < *entry.expires) return entry.found;
  names.erase(known);
  return std::nullopt;
}

// Returns whether a thread has to be started for it.
bool Resolver::State::join(const std::string& host, const SharedWaiter& waiter) {
  const std::lock_guard lock(mutex);
  if (names.size() >= names_max) std::erase_if(names, [](const auto& name) { return name.second.found.has_value(); });
  const auto [at, is_new] = names.try_emplace(host);
  at->second.waiting.push_back(waiter);
  if (at->second.found) ring(waiter);  // settled since take()
  if (!is_new) return false;
  queue.push_back(host);
  if (threads == threads_max) return false;
  ++threads;
  return true;
}

void Resolver::State::leave(const std::string& host, const SharedWaiter& waiter) {
  const std::lock_guard lock(mutex);
  const auto known = names.find(host);
  if (known != names.end()) std::erase(known->second.waiting, waiter);
}

// The lookup is done: keeps the answer and wakes who waits for it. An answer that nobody waited for has no known age.
void Resolver::State::settle(const std::string& host, Found found) {
  const std::lock_guard lock(mutex);
  const auto known = names.find(host);
  if (known == names.end()) return;
  if (known->second.waiting.empty()) {
    names.erase(known);
    return;
  }
  known->second.found = std::move(found);
  for (const SharedWaiter& waiter : known->second.waiting) ring(waiter);
}

// The next name that somebody still waits for; none: the thread ends.
std::optional<std::string> Resolver::State::next() {
  const std::lock_guard lock(mutex);
  while (!closed && !queue.empty()) {
    std::string host = std::move(queue.front());
    queue.pop_front();
    const auto known = names.find(host);
    if (known == names.end()) continue;
    if (!known->second.waiting.empty()) return host;
    names.erase(known);
  }
  --threads;
  return std::nullopt;
}

// Works the queue off on a thread of its own, which nothing joins: a lookup cannot be cancelled.
void Resolver::State::start_thread(const std::shared_ptr<State>& state, const std::string& host) {
  const auto work = [state] {
    for (auto name = state->next(); name; name = state->next()) state->settle(*name, state->lookup(*name));
  };
  try {
    std::thread(work).detach();
  } catch (const std::system_error& error) {
    state->settle(host, {{}, {FaultKind::no_descriptors, "look up " + host + ": no thread: " + error.what()}});
    const std::lock_guard lock(state->mutex);
    --state->threads;
  }
}

// Waits for one name; the end of the scope, also by destruction of the waiting coroutine, leaves.
struct Resolver::State::Membership {
  State& state;
  const std::string& host;
  const SharedWaiter& waiter;
  ~Membership() { state.leave(host, waiter); }
};

Resolver::Resolver() : Resolver(look_up) {}

Resolver::Resolver(Lookup lookup) : state_(std::make_shared<State>(std::move(lookup))) {}

Resolver::~Resolver() {
  const std::lock_guard lock(state_->mutex);
  state_->closed = true;
}

void Resolver::forget(const std::string& host) {
  const std::lock_guard lock(state_->mutex);
  const auto known = state_->names.find(host);
  if (known != state_->names.end() && known->second.found) state_->names.erase(known);
}

asio::awaitable<Resolver::Answer> Resolver::resolve(std::string host, std::uint16_t port, rules::Duration limit) {
  boost::system::error_code not_literal;
  const asio::ip::address literal = asio::ip::make_address(host, not_literal);
  if (!not_literal) co_return with_port({{literal}, {}}, port, false);

  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  const std::shared_ptr<State> state = state_;
  const std::optional<Found> cached = state->take(host, present(executor));
  if (cached) co_return with_port(*cached, port, true);

  const SharedWaiter waiter = std::make_shared<Waiter>(executor);
  waiter->timer.expires_after(limit);
  if (state->join(host, waiter)) State::start_thread(state, host);
  {
    const State::Membership membership{*state, host, waiter};
    co_await waiter->timer.async_wait(as_result);
  }
  const std::optional<Found> found = state->take(host, present(executor));
  if (found) co_return with_port(*found, port, false);
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) {
    co_return Answer{{}, {FaultKind::cancelled, "look up " + host + ": cancelled"}};
  }
  const std::string within = rules::to_string(limit);
  co_return Answer{
      {}, {FaultKind::dns, "look up " + host + ": no answer in " + within + "; is the name server reachable?"}};
}

}  // namespace probes
