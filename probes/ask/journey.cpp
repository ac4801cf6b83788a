#include "probes/ask/journey.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/ask/fetcher.hpp"
#include "probes/ask/frame.hpp"
#include "probes/ask/verdict.hpp"
#include "probes/net/deadline.hpp"
#include "probes/parse/json.hpp"

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;
using Saved = std::map<std::string, std::string>;
using Outcome = std::variant<HttpReply, Fault>;

constexpr std::string_view json_source = "json:";
constexpr std::string_view hex_digits = "0123456789ABCDEF";

bool is_unreserved(char c) {
  const bool alphanumeric = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("-._~").find(c) != std::string_view::npos;
}

void append_hex(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += hex_digits[byte >> 4];
  out += hex_digits[byte & 0xF];
}

void append_for_url(std::string& out, char c) {
  if (is_unreserved(c)) {
    out += c;
    return;
  }
  out += '%';
  append_hex(out, c);
}

void append_for_json(std::string& out, char c) {
  constexpr char first_printable = 0x20;
  if (c == '"' || c == '\\') out += '\\';
  if (c >= 0 && c < first_printable) {
    out += "\\u00";
    append_hex(out, c);
    return;
  }
  out += c;
}

void append_quoted(std::string& out, const std::string& value, Quoting quoting) {
  for (const char c : value) {
    switch (quoting) {
      case Quoting::none:
        out += c;
        break;
      case Quoting::url:
        append_for_url(out, c);
        break;
      case Quoting::json:
        append_for_json(out, c);
        break;
    }
  }
}

Quoting quoting_of(const std::string& content_type) {
  return content_type.find("json") == std::string::npos ? Quoting::none : Quoting::json;
}

class Journey final : public Probe {
 public:
  Journey(const ProbeConfig& config, const HttpProbe& what, Surroundings around)
      : frame_(config, 0, around.clock),
        fetcher_(around.resolver, what.options),
        options_(what.options),
        steps_(what.steps),
        timeout_(config.timeout) {
    for (const HttpRequestConfig& step : steps_) expected_.emplace_back(step.expect);
  }

  asio::awaitable<rules::Poll> poll() override {
    const rules::Instant started = frame_.now();
    const auto executor = co_await asio::this_coro::executor;
    Deadline deadline(executor);
    deadline.arm(timeout_, [] {});
    Saved saved;
    std::optional<Fault> fault;
    for (std::size_t i = 0; i < steps_.size() && !fault; ++i) {
      const HttpRequestConfig& step = steps_.at(i);
      const PreparedRequest request(request_of(step, saved, deadline.left()));
      const Outcome outcome = co_await fetcher_.fetch(request, nullptr);
      fault = judge(expected_.at(i), outcome, attempt_of(i));
      if (!fault) fault = save(step, std::get<HttpReply>(outcome), saved);
      if (fault) fault->what.insert(0, "step " + std::to_string(i + 1) + ": ");
    }
    co_return frame_.finish(started, {}, std::move(fault));
  }

 private:
  HttpRequest request_of(const HttpRequestConfig& step, const Saved& saved, rules::Duration limit) const {
    HttpRequest request;
    request.limit = limit;
    request.method = step.method;
    request.url = filled_in(step.url.value, saved, Quoting::url);
    request.body = filled_in(step.body.value, saved, quoting_of(step.content_type));
    request.body_max = options_.body_max;
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

  static std::optional<Fault> save(const HttpRequestConfig& step, const HttpReply& reply, Saved& saved) {
    if (step.save.empty()) return std::nullopt;
    if (reply.body_fault) return reply.body_fault;
    const auto parsed = JsonBody::parse(reply.body);
    if (const auto* fault = std::get_if<Fault>(&parsed)) return *fault;
    for (const auto& [name, source] : step.save) {
      const std::string pointer = source.substr(std::min(json_source.size(), source.size()));
      const std::optional<std::string> value = std::get<JsonBody>(parsed).text(pointer);
      if (!value) return Fault{FaultKind::parse, "the answer has nothing at " + pointer + " to save as " + name};
      saved[name] = *value;
    }
    return std::nullopt;
  }

  PollFrame frame_;
  Fetcher fetcher_;
  HttpOptions options_;
  std::vector<HttpRequestConfig> steps_;
  std::vector<Expected> expected_;  // of each step
  rules::Duration timeout_;
};

}  // namespace

std::string filled_in(const std::string& text, const std::map<std::string, std::string>& saved, Quoting quoting) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find('{', at);
    out.append(text, at, open - at);
    if (open == std::string::npos) break;
    const std::size_t close = text.find('}', open);
    const auto known = close == std::string::npos ? saved.end() : saved.find(text.substr(open + 1, close - open - 1));
    if (known == saved.end()) {
      out += '{';
      at = open + 1;
      continue;
    }
    append_quoted(out, known->second, quoting);
    at = close + 1;
  }
  return out;
}

std::unique_ptr<Probe> make_journey(const ProbeConfig& config, const HttpProbe& what, Surroundings around) {
  return std::make_unique<Journey>(config, what, around);
}

}  // namespace probes
