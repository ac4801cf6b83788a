#include <utility>

#include "probes/ask/fetcher.hpp"
#include "probes/ask/frame.hpp"
#include "probes/ask/journey.hpp"
#include "probes/ask/types.hpp"
#include "probes/ask/verdict.hpp"
#include "probes/parse/expect.hpp"

namespace probes {

namespace {

using rules::Fault;

// One request: is the answer as expected, and what numbers are in it?
class Http final : public Probe {
 public:
  Http(const ProbeConfig& config, const HttpProbe& what, std::size_t instance, Surroundings around)
      : frame_(config, instance, around.clock),
        fetcher_(around.resolver, what.options),
        request_(request_of(config, what.urls.at(instance), what.options)),
        expected_(what.expect),
        fields_(what.json, what.check),
        attempt_(attempt_of(what.urls.at(instance))) {}

  asio::awaitable<rules::Poll> poll() override {
    const rules::Instant started = frame_.now();
    const auto outcome = co_await fetcher_.fetch(request_, nullptr);
    std::optional<Fault> fault = judge(expected_, outcome, attempt_);
    std::vector<rules::Reading> readings;
    if (!fault && !fields_.empty()) fault = read(std::get<HttpReply>(outcome), readings);
    co_return frame_.finish(started, std::move(readings), std::move(fault));
  }

 private:
  std::optional<Fault> read(const HttpReply& reply, std::vector<rules::Reading>& readings) const {
    auto taken = fields_.read(reply.body);
    if (auto* const fault = std::get_if<Fault>(&taken)) return Fault{fault->kind, attempt_ + ": " + fault->what};
    readings = std::move(std::get<std::vector<rules::Reading>>(taken));
    return std::nullopt;
  }

  PollFrame frame_;
  Fetcher fetcher_;
  PreparedRequest request_;
  Expected expected_;
  JsonFields fields_;
  std::string attempt_;
};

}  // namespace

ProbeList make_http(const ProbeConfig& config, const HttpProbe& what, Surroundings around) {
  ProbeList probes;
  if (!what.steps.empty()) {
    probes.push_back(make_journey(config, what, around));
    return probes;
  }
  for (std::size_t instance = 0; instance < what.urls.size(); ++instance) {
    probes.push_back(std::make_unique<Http>(config, what, instance, around));
  }
  return probes;
}

}  // namespace probes
