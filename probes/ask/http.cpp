#include <utility>

#include "probes/ask/fetcher.hpp"
#include "probes/ask/frame.hpp"
#include "probes/ask/journey.hpp"
#include "probes/ask/page_keys.hpp"
#include "probes/ask/save_source.hpp"
#include "probes/ask/verdict.hpp"
#include "probes/parse/expect.hpp"
#include "probes/parse/names.hpp"

namespace probes {

namespace {

using rules::Fault;

// One request: is the answer as expected, and what numbers are in it?
class Http final : public Probe {
 public:
  Http(const ProbeConfig& config, const HttpProbe& what, std::size_t instance, Surroundings around)
      : frame_(config, instance, around.clock),
        fetcher_(around.resolver, what.options),
        account_(around.memory, config.name, instance),
        request_(counted(request_of(config, what.urls.at(instance), what.options), account_)),
        expected_(what.expect),
        fields_(what.json, what.check),
        is_secret_(what.urls.at(instance).secret) {}

  asio::awaitable<rules::Poll> poll() override {
    const rules::Instant started = frame_.now();
    const auto outcome = co_await fetcher_.fetch(request_, nullptr);
    const auto attempted = [this] { return attempt(); };
    std::optional<Fault> fault = judge(expected_, outcome, attempted, account_.room());
    std::vector<rules::Reading> readings;
    if (!fault && !fields_.empty()) fault = read(std::get<HttpReply>(outcome), readings);
    account_.hold(0);
    co_return frame_.finish(started, std::move(readings), std::move(fault));
  }

 private:
  std::optional<Fault> read(const HttpReply& reply, std::vector<rules::Reading>& readings) const {
    if (reply.body_fault) return Fault{reply.body_fault->kind, attempt() + ": " + reply.body_fault->what};
    auto taken = fields_.read(reply.body, account_.room());
    if (auto* const fault = std::get_if<Fault>(&taken)) return Fault{fault->kind, attempt() + ": " + fault->what};
    readings = std::move(std::get<std::vector<rules::Reading>>(taken));
    return std::nullopt;
  }
  std::string attempt() const { return attempt_of(request_.request().url, is_secret_); }

  PollFrame frame_;
  Fetcher fetcher_;
  MemoryBudget::Account account_;
  PreparedRequest request_;
  Expected expected_;
  JsonFields fields_;
  bool is_secret_;  // its address
};

// A method's key holds the address: get = "http://...".
constexpr std::array methods{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};

template <std::size_t Method>
constexpr Key method_key(std::string_view name, std::string_view doc) {
  Key out = key<Kind::address, &HttpRequestConfig::url>(name, doc).with_names();
  out.get = [](const void* object) -> Value {
    const auto& request = *static_cast<const HttpRequestConfig*>(object);
    return request.method == methods.at(Method) ? Value(request.url) : Value();
  };
  out.set = [](void* object, Value value) {
    auto& request = *static_cast<HttpRequestConfig*>(object);
    request.method = methods.at(Method);
    request.url = std::get<rules::Text>(std::move(value));
  };
  return out;
}

constexpr std::array step_keys{
    method_key<0>("get",
                  "The address of a GET request; {name} stands for a value that was saved before, "
                  "{unique} for one that no other run has."),
    method_key<1>("post", "The address of a POST request."),
    method_key<2>("put", "The address of a PUT request."),
    method_key<3>("patch", "The address of a PATCH request."),
    method_key<4>("delete", "The address of a DELETE request."),
    method_key<5>("head", "The address of a HEAD request."),
    key<Kind::headers, &HttpRequestConfig::headers>("header",
                                                    "Headers that are sent; {name} stands for a saved value."),
    key<Kind::body, &HttpRequestConfig::body>("body", "What is sent."),
    key<Kind::string, &HttpRequestConfig::content_type>("content_type", "What the body is.")
        .when_left_out("\"application/json\" for a JSON body"),
    table<&HttpRequestConfig::expect>("expect", expect_keys, "What the answer must be."),
    key<Kind::map, &HttpRequestConfig::save>(
        "save",
        "Values for the next requests: name = \"json:/POINTER\", \"header:NAME\", \"cookie:NAME\" "
        "or \"regex:PATTERN\" with one group. Cookies are kept and sent by themselves."),
};

bool reads_body(const HttpRequestConfig& request) {
  const bool saves = std::any_of(request.save.begin(), request.save.end(), [](const auto& entry) {
    return entry.second.starts_with("json:") || entry.second.starts_with("regex:");
  });
  return saves || !request.expect.json.empty() || !request.expect.body.empty();
}

void settle_step(void* object, Given& given) {
  auto& request = *static_cast<HttpRequestConfig*>(object);
  int found = 0;
  for (const std::string_view method : {"get", "post", "put", "patch", "delete", "head"}) {
    if (given.has(method) && ++found > 1)
      given.error(method, "a step makes one request; write another [[...step]] for it");
  }
  if (found == 0) given.error("no request; write get = \"URL\" or post = \"URL\"");
  if (given.has("head") && reads_body(request))
    given.error("head", "an answer to HEAD has no body to look into; write get");
  settle_body(request.body, request.content_type);
  for (const auto& [name, source] : request.save) {
    if (name == unique_name)
      given.error("save", "{unique} is another value in each run already; choose another name");
    else if (const std::string wrong = wrong_save_source(source); !wrong.empty())
      given.error("save", name + ": " + wrong);
  }
}

// A value in braces that no request before has saved is sent with its braces, which nothing answers as it is meant.
std::string unsaved(const std::string& text, const std::map<std::string, std::string>& saved) {
  const std::string rest = filled_in(text, saved, Quoting::none);
  for (std::size_t open = rest.find('{'); open != std::string::npos; open = rest.find('{', open + 1)) {
    const std::size_t close = rest.find('}', open);
    if (close == std::string::npos) break;
    const std::string name = rest.substr(open + 1, close - open - 1);
    if (is_field_name(name)) return name;
  }
  return {};
}

void settle_journey(const HttpProbe& probe, Given& given) {
  std::map<std::string, std::string> saved{{std::string(unique_name), "0"}};
  for (std::size_t i = 0; i < probe.steps.size(); ++i) {
    const HttpRequestConfig& step = probe.steps[i];
    std::string missing = unsaved(step.url.value, saved);
    for (const auto& [name, text] : step.headers) {
      if (missing.empty()) missing = unsaved(text.value, saved);
    }
    if (!missing.empty())
      given.error("step", "step " + std::to_string(i + 1) + " uses {" + missing +
                              "}, which no step before it saves; write save = { " + missing +
                              " = \"json:/POINTER\" } there");
    for (const auto& [name, source] : step.save) saved[name] = "0";
  }
}

constexpr std::array keys{
    rows<HttpProbe>(page_keys<HttpProbe>),
    table<&HttpProbe::expect>("expect", expect_keys, "What the answer must be."),
    key<Kind::fields, &HttpProbe::json>("json", "Fields of the probe: numbers from the answer, a JSON pointer each."),
    key<Kind::checks, &HttpProbe::check>("check",
                                         "Fields of the probe that are 1 when the answer has these values, else 0."),
    tables<&HttpProbe::steps>("step", step_keys, "The requests of a journey, what a user does, in order.")
        .settled(settle_step),
};

bool expects_something(const Expectation& expect) {
  return !expect.status.empty() || !expect.json.empty() || !expect.body.empty();
}

void settle(void* object, Given& given) {
  auto& probe = *static_cast<HttpProbe*>(object);
  const bool journey = given.has("step");
  settle_urls(given, !journey);
  if (journey && (given.has("url") || given.has("urls")))
    given.error(given.has("url") ? "url" : "urls", "a journey's addresses stand in its steps");
  settle_journey(probe, given);
  probe.expects = expects_something(probe.expect);
  if (journey && given.has("expect")) given.error("expect", "a journey's expectations stand in its steps");
  for (const auto& [field, pointers] : probe.check) {
    if (probe.json.contains(field)) given.error("check", field + " is a number of json already; choose another name");
  }
}

}  // namespace

ProbeList HttpProbe::make(const ProbeConfig& config, Surroundings around) const {
  ProbeList probes;
  if (!steps.empty()) {
    probes.push_back(make_journey(config, *this, around));
    return probes;
  }
  for (std::size_t instance = 0; instance < urls.size(); ++instance) {
    probes.push_back(std::make_unique<Http>(config, *this, instance, around));
  }
  return probes;
}

Variety HttpProbe::variety() {
  return probes::variety<ProbeKind, HttpProbe>(
      "http", "A request, or a journey of several: is the answer as expected, and what numbers are in it?", keys,
      settle);
}
std::vector<std::string> HttpProbe::fields() const {
  std::vector<std::string> out;
  for (const auto& [name, pointer] : json) out.push_back(name);
  for (const auto& [name, pointers] : check) out.push_back(name);
  return out;
}

}  // namespace probes
