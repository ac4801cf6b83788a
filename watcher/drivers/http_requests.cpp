#include "watcher/drivers/http_requests.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "probes/net/http_client.hpp"
#include "probes/parse/json.hpp"
#include "probes/parse/number.hpp"
#include "watcher/drivers/driver.hpp"
#include "watcher/drivers/http_refusal.hpp"
#include "watcher/drivers/http_request.hpp"
#include "watcher/drivers/percent_escaped.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

constexpr rules::Duration request_limit = std::chrono::seconds(8);  // a look every 10 s has several of them at most
constexpr std::int64_t body_max = 8 * 1024 * 1024;                  // bytes; GitHub's runs have 15 KiB each
constexpr std::size_t said_max = 200;                               // bytes of what a server said, in a message

// In one pass: what a value says is not looked at again.
std::string filled(std::string_view text, const HttpNames& names, std::string (*escaped)(std::string_view)) {
  struct Placeholder {
    std::string_view name;
    const std::string& value;
  };
  const Placeholder placeholders[] = {
      {"{to}", names.to}, {"{from}", names.from}, {"{id}", names.id}, {"{since}", names.since}};
  std::string out;
  while (!text.empty()) {
    const auto here = std::find_if(std::begin(placeholders), std::end(placeholders),
                                   [text](const Placeholder& one) { return text.starts_with(one.name); });
    const bool is_none = here == std::end(placeholders);
    out += is_none ? std::string(1, text.front()) : escaped(here->value);
    text.remove_prefix(is_none ? 1 : here->name.size());
  }
  return out;
}

std::string without_query(const std::string& url) { return url.substr(0, url.find('?')); }

// What it means for whoever set this up.
std::string advice(const HttpAnswer& answer) {
  constexpr unsigned too_many_requests = 429;
  // Only whether it says so is asked here.
  const bool is_limit = asked_again_after(answer, rules::Instant()).has_value();
  const unsigned status = is_limit ? too_many_requests : answer.status;
  switch (status) {
    case 401:
      return "; is the token in header right, and not expired? (after a new one: rollbackd reload)";
    case 403:
      return "; may the token in header do that?";
    case 404:
      return "; is the address right, and may the token in header see it?";
    case too_many_requests:
      return "; it is asked too often";
    default:
      break;
  }
  const bool is_redirect = status >= 300 && status < 400;
  return is_redirect ? "; a redirect is not followed with credentials, give the address that it leads to" : "";
}

// What the server said besides the status: GitHub and GitLab have a message.
std::string said_in(const std::string& body) {
  const auto parsed = probes::JsonBody::parse(body);
  const auto* const json = std::get_if<probes::JsonBody>(&parsed);
  const std::optional<std::string> message = json == nullptr ? std::nullopt : json->text("/message");
  return message ? ": " + clean_line(*message, said_max) : "";
}

std::string shown_body(const rules::HttpStep& step, const HttpNames& names) {
  return filled(step.body.secret ? step.body.origin : step.body.value, names, json_escaped);
}

}  // namespace

HttpRequests::HttpRequests(const HttpWorkflow& config) : config_(config) {}

rules::HttpStep HttpRequests::question(const Text& url, const std::map<std::string, Text>& headers) const {
  rules::HttpStep out;
  out.method = "GET";
  out.url = url;
  out.headers = headers;
  return out;
}

asio::awaitable<HttpAnswer> HttpRequests::ask(rules::HttpStep step) {
  probes::HttpRequest request = request_of(step, request_limit);
  request.body_max = body_max;
  request.keeps_fields = true;
  HttpAnswer out;
  out.asked = step.method + " " + without_query(step.url.value);
  probes::TlsOptions tls;
  tls.ca_file = config_.ca_file;
  probes::HttpClient client(resolver_, std::move(tls));
  const probes::PreparedRequest prepared(std::move(request));
  auto answer = co_await client.fetch(prepared);
  if (const auto* const fault = std::get_if<rules::Fault>(&answer)) {
    out.fault = fault->kind;
    out.what = out.asked + ": " + fault->what;
    co_return out;
  }
  auto& reply = std::get<probes::HttpReply>(answer);
  out.status = reply.status;
  out.body = std::move(reply.body);
  const bool is_fine = out.status >= 200 && out.status < 300;
  if (!is_fine) {
    out.fields = std::move(reply.fields);
    out.what = out.asked + ": answered " + std::to_string(out.status) + said_in(out.body) + advice(out);
  } else if (reply.body_fault && step.method == "GET") {
    out.what = out.asked + ": " + reply.body_fault->what;
  }
  co_return out;
}

asio::awaitable<HttpAnswer> HttpRequests::version() {
  rules::HttpStep step = question(config_.version, config_.version_headers);
  // What a cache remembers is not what runs.
  step.headers.try_emplace("Cache-Control", Text{"no-cache"});
  co_return co_await ask(std::move(step));
}

asio::awaitable<HttpAnswer> HttpRequests::runs(HttpNames names) {
  rules::HttpStep step = question(config_.runs, config_.dispatch.headers);
  step.url.value = filled(step.url.value, names, percent_escaped);
  co_return co_await ask(std::move(step));
}

asio::awaitable<HttpAnswer> HttpRequests::target(HttpNames names) {
  rules::HttpStep step = question(config_.target, config_.dispatch.headers);
  step.url.value = filled(step.url.value, names, percent_escaped);
  co_return co_await ask(std::move(step));
}

asio::awaitable<HttpAnswer> HttpRequests::dispatch(HttpNames names) {
  rules::HttpStep step = config_.dispatch;
  step.url.value = filled(step.url.value, names, percent_escaped);
  step.body.value = filled(step.body.value, names, json_escaped);
  co_return co_await ask(std::move(step));
}

std::vector<std::string> HttpRequests::dispatch_shown(const HttpNames& names) const {
  const rules::HttpStep& step = config_.dispatch;
  std::vector<std::string> out;
  const std::string url = step.url.secret ? without_query(step.url.value) : step.url.value;
  out.push_back(step.method + " " + filled(url, names, percent_escaped));
  for (const auto& [name, text] : step.headers) out.push_back(name + ": " + (text.secret ? "<redacted>" : text.value));
  if (!step.body.value.empty()) out.push_back(shown_body(step, names));
  return out;
}

std::string listed_since(rules::Instant at) {
  // What the CI's clock may be behind ours, so that a run is not left out of a list that begins at a time.
  constexpr rules::Duration clocks_part = std::chrono::minutes(5);
  // GitHub takes no parts of a second.
  std::string text = utc_text(at - clocks_part);
  std::replace(text.begin(), text.end(), ' ', 'T');
  return text + "Z";
}

// Whoever could not be found or reached has nothing, and a refusal is one. What went out and was not answered, or
// answered by something in between, may be at work.
bool may_have_arrived(const HttpAnswer& answer) {
  if (!answer.fault) {
    constexpr unsigned request_timeout = 408;
    const bool is_refusal = answer.status >= 300 && answer.status < 500 && answer.status != request_timeout;
    return !is_refusal;
  }
  constexpr std::array none_sent{rules::FaultKind::refused, rules::FaultKind::dns, rules::FaultKind::no_route,
                                 rules::FaultKind::no_descriptors, rules::FaultKind::not_measurable};
  return std::find(none_sent.begin(), none_sent.end(), *answer.fault) == none_sent.end();
}

VersionSaid version_in(const HttpWorkflow& config, const HttpAnswer& answer) {
  VersionSaid out;
  out.error = answer.what;
  if (!out.error.empty()) return out;
  std::string text = answer.body;
  if (!config.version_json.empty()) {
    const auto parsed = probes::JsonBody::parse(text);
    const auto* const json = std::get_if<probes::JsonBody>(&parsed);
    const std::optional<std::string> found = json == nullptr ? std::nullopt : json->text(config.version_json);
    if (!found) out.error = answer.asked + ": has nothing at " + config.version_json;
    text = found.value_or("");
  }
  if (out.error.empty() && !config.version_match.empty()) {
    std::string group;
    const bool is_there = re2::RE2::PartialMatch(text, re2::RE2(config.version_match), &group);
    if (!is_there) out.error = answer.asked + ": has nothing that version_match finds";
    text = group;
  }
  if (!out.error.empty()) return out;
  std::string_view line = probes::trimmed(text);
  line = probes::trimmed(line.substr(0, line.find('\n')));
  out.revision = rules::Revision(std::string(line));
  if (out.revision.empty()) {
    out.error = answer.asked + ": says nothing; it has to say the revision that runs";
  } else if (!rules::is_safe_in_argv(out.revision)) {
    out.error = answer.asked + ": \"" + clean_line(line, said_max) +
                "\" is no revision; it begins with a letter or digit, and then has those and . _ : / @ - up to 200";
  }
  if (!out.error.empty()) out.revision = rules::Revision();
  return out;
}

}  // namespace watcher
