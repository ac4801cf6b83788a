#include <array>
#include <utility>

#include "probes/key.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

namespace {

// Of every alternative that has a word, in the order in which they are told.
template <class... Kinds>
auto varieties(const std::variant<std::monostate, DriverChain, Kinds...>*) {
  return std::array{Kinds::variety()...};
}

struct Maker {
  const DriverSection& section;
  const std::string& state_dir;
  const probes::Clock& clock;

  std::unique_ptr<Driver> operator()(std::monostate) const { return nullptr; }
  std::unique_ptr<Driver> operator()(const auto& driver) const { return driver.make(section, state_dir, clock); }
};

}  // namespace

asio::awaitable<NameMeans> Driver::meaning_of(std::string) {
  NameMeans nothing;
  co_return nothing;
}

asio::awaitable<rules::ReadinessRead> Driver::still_ready(std::optional<rules::Revision> to) {
  co_return co_await ready(std::move(to));
}

std::vector<std::string> Driver::asks_for(const rules::Revision&, const rules::Revision&) const { return {}; }

asio::awaitable<std::vector<std::string>> Driver::taken_away(rules::Revision, std::vector<std::string>) {
  co_return std::vector<std::string>();
}

asio::awaitable<std::vector<std::vector<rules::Revision>>> Driver::alike(Known, std::vector<rules::Revision>) {
  std::vector<std::vector<rules::Revision>> none;
  co_return none;
}

void Driver::be_patient() {}

std::vector<std::string> Driver::secrets() const { return {}; }

asio::awaitable<std::vector<EvidenceCommand>> Driver::evidence() {
  std::vector<EvidenceCommand> none;
  co_return none;
}

asio::awaitable<std::vector<std::string>> Driver::advice() {
  std::vector<std::string> nothing;
  co_return nothing;
}

asio::awaitable<std::vector<std::string>> Driver::taken_back(rules::Revision, rules::Revision, std::size_t) {
  std::vector<std::string> nothing;
  co_return nothing;
}

std::string why_unsafe_target(const std::optional<rules::Revision>& to) {
  return to && !rules::is_safe_in_argv(*to) ? "the target's name must not be put into a command line" : "";
}

rules::ReadinessRead readiness_of(const rules::ServiceName& service, std::string why_not, rules::Instant at) {
  rules::ReadinessRead read;
  read.service = service;
  read.reason = std::move(why_not);
  read.ready = read.reason.empty();
  read.at = at;
  return read;
}

void refuse_commands(probes::Given& given, std::string_view driver) {
  for (const std::string_view theirs : {"identify", "switch", "rollback"}) {
    if (given.has(theirs))
      given.error(theirs,
                  "the " + std::string(driver) + " driver does this itself; leave it out, or use driver = \"command\"");
  }
}

std::span<const probes::Variety> driver_kinds() {
  static const auto kinds = varieties(static_cast<const DriverKind*>(nullptr));
  return kinds;
}

std::unique_ptr<Driver> make_driver(const DriverSection& section, const std::string& state_dir,
                                    const probes::Clock& clock) {
  return std::visit(Maker{section, state_dir, clock}, section.driver);
}

}  // namespace watcher
