#include "probes/ask/journey.hpp"

#include <re2/re2.h>
#include <strings.h>

#include <array>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <cstdint>
#include <random>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/ask/fetcher.hpp"
#include "probes/ask/frame.hpp"
#include "probes/ask/verdict.hpp"
#include "probes/net/deadline.hpp"
#include "probes/parse/json.hpp"
#include "probes/parse/names.hpp"

namespace probes {

namespace {

using re2::RE2;
using rules::Fault;
using rules::FaultKind;
using Saved = std::map<std::string, std::string>;
using Outcome = std::variant<HttpReply, Fault>;

constexpr std::size_t saved_max = 8 * 1024;  // bytes of a saved value: it goes into an address or a header
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
  if (content_type.find("json") != std::string::npos) return Quoting::json;
  return content_type.find("x-www-form-urlencoded") != std::string::npos ? Quoting::url : Quoting::none;
}

// Of the step's own header where it has one.
std::string content_type_of(const HttpRequestConfig& step) {
  for (const auto& [name, value] : step.headers) {
    if (strcasecmp(name.c_str(), "Content-Type") == 0) return value.value;
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

std::optional<std::string> field_of(const HttpReply& reply, std::string_view name) {
  for (const auto& [field, value] : reply.fields) {
    if (field.size() == name.size() && strncasecmp(field.data(), name.data(), name.size()) == 0) return value;
  }
  return std::nullopt;
}

// What a source names in an answer; nullopt: it is not there.
std::optional<std::string> found(const SaveSource& source, const HttpReply& reply, const CookieJar& jar,
                                 const std::optional<JsonBody>& body) {
  switch (source.from) {
    case SaveFrom::json:
      return body->text(source.what);
    case SaveFrom::header:
      return field_of(reply, source.what);
    case SaveFrom::cookie:
      return jar.value(source.what);
    case SaveFrom::regex: {
      std::string value;
      const bool matches = RE2::PartialMatch(reply.body, RE2(source.what, RE2::Quiet), &value);
      return matches ? std::optional(std::move(value)) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::string nothing_at(const SaveSource& source) {
  switch (source.from) {
    case SaveFrom::json:
      return "nothing at " + source.what;
    case SaveFrom::header:
      return "no header " + source.what;
    case SaveFrom::cookie:
      return "no cookie " + source.what;
    case SaveFrom::regex:
      return "nothing that matches " + source.what;
  }
  return "";
}

bool reads_body(const SaveSource& source) { return source.from == SaveFrom::json || source.from == SaveFrom::regex; }

// Takes what the step saves out of its answer.
std::optional<Fault> save(const HttpRequestConfig& step, const HttpReply& reply, const CookieJar& jar, Saved& saved) {
  std::optional<JsonBody> body;
  for (const auto& [name, text] : step.save) {
    const SaveSource source = *parse_save_source(text);
    if (reads_body(source) && reply.body_fault) return reply.body_fault;
    if (source.from == SaveFrom::json && !body) {
      auto parsed = JsonBody::parse(reply.body);
      if (const auto* fault = std::get_if<Fault>(&parsed)) return *fault;
      body.emplace(std::get<JsonBody>(std::move(parsed)));
    }
    std::optional<std::string> value = found(source, reply, jar, body);
    if (value && value->size() > saved_max)
      return Fault{FaultKind::too_large, "what is to be saved as " + name + " is longer than 8 KiB"};
    if (!value) return Fault{FaultKind::parse, "the answer has " + nothing_at(source) + " to save as " + name};
    saved[name] = *std::move(value);
  }
  return std::nullopt;
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
    Saved saved{{std::string(unique_name), unique_value(started)}};
    CookieJar jar(started);
    std::optional<Fault> fault;
    for (std::size_t i = 0; i < steps_.size() && !fault; ++i) {
      const HttpRequestConfig& step = steps_.at(i);
      HttpRequest request = request_of(step, saved, deadline.left());
      const Outcome outcome = co_await fetcher_.fetch(std::move(request), jar);
      fault = judge(expected_.at(i), outcome, attempt_of(i));
      if (!fault) fault = save(step, std::get<HttpReply>(outcome), jar, saved);
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
    request.body = filled_in(step.body.value, saved, quoting_of(content_type_of(step)));
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

  PollFrame frame_;
  Fetcher fetcher_;
  HttpOptions options_;
  std::vector<HttpRequestConfig> steps_;
  std::vector<Expected> expected_;  // of each step
  rules::Duration timeout_;
};

struct SourceWord {
  std::string_view word;
  SaveFrom from;
};
constexpr std::array<SourceWord, 4> source_words{{{"json:", SaveFrom::json},
                                                  {"header:", SaveFrom::header},
                                                  {"cookie:", SaveFrom::cookie},
                                                  {"regex:", SaveFrom::regex}}};

}  // namespace

std::optional<SaveSource> parse_save_source(std::string_view text) {
  for (const SourceWord& each : source_words) {
    if (text.starts_with(each.word)) return SaveSource{each.from, std::string(text.substr(each.word.size()))};
  }
  return std::nullopt;
}

std::string wrong_save_source(const std::string& text) {
  const std::optional<SaveSource> source = parse_save_source(text);
  if (!source || source->what.empty())
    return "\"" + text +
           "\" does not say where the value is; write \"json:/POINTER\", \"header:NAME\", "
           "\"cookie:NAME\" or \"regex:PATTERN\" with one group, of the body";
  if (source->from == SaveFrom::json) return wrong_pointer(source->what);
  if (source->from != SaveFrom::regex) return "";
  const RE2 pattern(source->what, RE2::Quiet);
  if (!pattern.ok()) return "not an RE2 pattern: " + pattern.error();
  return pattern.NumberOfCapturingGroups() == 1 ? "" : "the pattern needs exactly one group, which is what is saved";
}

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
