#include "probes/ask/journey.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <cstdint>
#include <random>
#include <sstream>
#include <utility>
#include <variant>
#include <vector>

#include "probes/ask/fetcher.hpp"
#include "probes/ask/frame.hpp"
#include "probes/ask/save_source.hpp"
#include "probes/ask/verdict.hpp"
#include "probes/net/deadline.hpp"

namespace probes {

namespace {

using rules::Fault;
using Outcome = std::variant<HttpReply, Fault>;

Quoting quoting_of(const std::string& content_type) {
  if (content_type.find("json") != std::string::npos) return Quoting::json;
  return content_type.find("x-www-form-urlencoded") != std::string::npos ? Quoting::url : Quoting::none;
}

// Of the step's own header where it has one.
std::string content_type_of(const HttpRequestConfig& step) {
  for (const auto& [name, value] : step.headers) {
    if (boost::iequals(name, "Content-Type")) return value.value;
  }
  return step.content_type;
}

// Unlike any other run's of this and any other watcher of the same site.
std::string unique_value(rules::Instant started) {
  static const std::uint32_t process = std::random_device()();
  static std::uint32_t run = 0;
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(started.time_since_epoch()).count();
  std::ostringstream out;
  out << std::hex << since << process << ++run;
  return std::move(out).str();
}

class Journey final : public Probe {
 public:
  Journey(const ProbeConfig& config, const HttpProbe& what, Surroundings around)
      : frame_(config, 0, around.clock),
        fetcher_(around.resolver, what.options),
        options_(what.options),
        steps_(what.steps),
        timeout_(config.timeout),
        account_(around.memory, config.name, 0) {
    for (const HttpRequestConfig& step : steps_) {
      expected_.emplace_back(step.expect);
      savers_.emplace_back(step.save);
    }
  }

  asio::awaitable<rules::Poll> poll() override {
    const rules::Instant started = frame_.now();
    const auto executor = co_await asio::this_coro::executor;
    Deadline deadline(executor);
    deadline.arm(timeout_, [] {});
    Saved saved{{std::string(unique_name), unique_value(started)}};
    CookieJar jar(started);
    std::optional<Fault> fault;
    for (std::size_t i = 0; i < steps_.size() && !fault; ++i) {
      const HttpRequestConfig& step = steps_.at(i);
      HttpRequest request = request_of(step, saved, deadline.left());
      const Outcome outcome = co_await fetcher_.fetch(std::move(request), jar);
      const auto attempted = [this, i] { return attempt_of(i); };
      fault = judge(expected_.at(i), outcome, attempted, account_.room());
      if (!fault) fault = savers_.at(i).save(std::get<HttpReply>(outcome), jar, saved, account_.room());
      account_.hold(0);
      if (fault) fault->what.insert(0, "step " + std::to_string(i + 1) + ": ");
    }
    co_return frame_.finish(started, {}, std::move(fault));
  }

 private:
  HttpRequest request_of(const HttpRequestConfig& step, const Saved& saved, rules::Duration limit) {
    HttpRequest request;
    request.limit = limit;
    request.method = step.method;
    request.url = filled_in(step.url.value, saved, Quoting::url);
    request.body = filled_in(step.body.value, saved, quoting_of(content_type_of(step)));
    request.body_max = options_.body_max;
    request.account = &account_;
    std::map<std::string, std::string> headers;
    for (const auto& [name, value] : options_.headers) headers[name] = value.value;
    for (const auto& [name, value] : step.headers) headers[name] = filled_in(value.value, saved, Quoting::none);
    if (!step.content_type.empty()) headers.try_emplace("Content-Type", step.content_type);
    request.headers.assign(headers.begin(), headers.end());
    return request;
  }

  // As written in the configuration: what was saved may be a secret.
  std::string attempt_of(std::size_t i) const {
    const HttpRequestConfig& step = steps_.at(i);
    return step.url.secret ? step.method : step.method + " " + step.url.value;
  }

  PollFrame frame_;
  Fetcher fetcher_;
  HttpOptions options_;
  std::vector<HttpRequestConfig> steps_;
  std::vector<Expected> expected_;  // of each step
  std::vector<Saver> savers_;       // of each step
  rules::Duration timeout_;
  MemoryBudget::Account account_;
};

}  // namespace

std::unique_ptr<Probe> make_journey(const ProbeConfig& config, const HttpProbe& what, Surroundings around) {
  return std::make_unique<Journey>(config, what, around);
}

}  // namespace probes
