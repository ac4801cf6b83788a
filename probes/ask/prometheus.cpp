#include "probes/ask/fetcher.hpp"
#include "probes/ask/frame.hpp"
#include "probes/ask/page_keys.hpp"
#include "probes/parse/expect.hpp"
#include "probes/parse/prometheus_text.hpp"

namespace probes {

namespace {

using rules::Fault;
using rules::FaultKind;

constexpr unsigned status_ok = 200;

HttpRequest page_request(const ProbeConfig& config, const PrometheusProbe& what, std::size_t instance) {
  HttpRequest request = request_of(config, what.urls.at(instance), what.options);
  request.headers.emplace_back("Accept", "text/plain;version=0.0.4");
  return request;
}

// A metrics page, read into the parser as it comes in: it is never held as a whole.
class Prometheus final : public Probe {
 public:
  Prometheus(const ProbeConfig& config, const PrometheusProbe& what, std::size_t instance, Surroundings around)
      : frame_(config, instance, around.clock),
        fetcher_(around.resolver, what.options),
        page_(what.keep),
        page_account_(around.memory, config.name, instance),
        body_account_(around.memory, config.name, instance),
        request_(counted(page_request(config, what, instance), body_account_)),
        is_secret_(what.urls.at(instance).secret) {}

  asio::awaitable<rules::Poll> poll() override {
    const rules::Instant started = frame_.now();
    page_.begin();
    if (page_account_.is_put_off()) page_.give_up(refused_);
    BodySink sink = [this](std::string_view piece) { return page_.push(piece) && fits(); };
    const auto outcome = co_await fetcher_.fetch(request_, std::move(sink));
    std::optional<Fault> fault = fault_of(outcome);
    std::vector<rules::Reading> readings;
    if (!fault) readings = page_.take();
    rules::Poll poll = frame_.finish(started, std::move(readings), std::move(fault));
    if (!poll.fault) poll.unread = page_.unread();
    page_account_.hold(page_.held());
    body_account_.hold(0);
    co_return poll;
  }

 private:
  // Asked again with each piece: a page of any size must not be taken in first and weighed then.
  bool fits() {
    if (page_account_.hold(page_.held())) return true;
    refused_ = Fault{FaultKind::no_memory, page_account_.refusal()};
    page_.give_up(refused_);
    page_account_.put_off();
    return false;
  }

  std::optional<Fault> fault_of(const std::variant<HttpReply, Fault>& outcome) {
    if (const auto* failed = std::get_if<Fault>(&outcome)) return *failed;
    const HttpReply& reply = std::get<HttpReply>(outcome);
    std::optional<Fault> fault = check({}, reply.status, reply.body);
    if (!fault && reply.status != status_ok) {
      fault =
          Fault{FaultKind::status, "status " + std::to_string(reply.status) + " is no page; is it the right address?"};
    }
    if (!fault) fault = reply.body_fault;
    if (!fault) fault = page_.finish(reply.body_end);
    if (fault) fault->what.insert(0, attempt_of(request_.request().url, is_secret_) + ": ");
    return fault;
  }

  PollFrame frame_;
  Fetcher fetcher_;
  PrometheusText page_;
  MemoryBudget::Account page_account_;
  Fault refused_{FaultKind::no_memory, "it would have kept too much lately"};  // why it is put off
  MemoryBudget::Account body_account_;                                         // of an answer that is no page
  PreparedRequest request_;
  bool is_secret_;  // its address
};

void settle(void*, Given& given) { settle_urls(given, true); }

}  // namespace

ProbeList PrometheusProbe::make(const ProbeConfig& config, Surroundings around) const {
  ProbeList probes;
  for (std::size_t instance = 0; instance < urls.size(); ++instance) {
    probes.push_back(std::make_unique<Prometheus>(config, *this, instance, around));
  }
  return probes;
}

Variety PrometheusProbe::variety() {
  return probes::variety<ProbeKind, PrometheusProbe>("prometheus", "The application's page of metrics.",
                                                     page_keys<PrometheusProbe>, settle);
}
bool PrometheusProbe::any_field() const { return true; }

}  // namespace probes
