#include <algorithm>
#include <utility>

#include "watcher/config/config.hpp"

// What several drivers of one service are together, for those who look at the configuration.

namespace watcher {

namespace {

struct Identifies {
  bool operator()(std::monostate) const { return false; }
  bool operator()(const auto& driver) const { return driver.identifies(); }
};
struct Switches {
  bool operator()(std::monostate) const { return false; }
  bool operator()(const auto& driver) const { return driver.switches(); }
};
struct Resumes {
  bool operator()(std::monostate) const { return false; }
  bool operator()(const auto& driver) const { return driver.resumes(); }
};
struct WhomOf {
  Whom operator()(std::monostate) const { return {}; }
  Whom operator()(const auto& driver) const { return driver.whom(); }
};
struct Commands {
  const std::string& owner;
  std::vector<NamedCommand> operator()(std::monostate) const { return {}; }
  std::vector<NamedCommand> operator()(const auto& driver) const { return driver.commands(owner); }
};
template <class Question>
bool any(const std::vector<DriverLink>& links, Question question) {
  return std::any_of(links.begin(), links.end(),
                     [&](const DriverLink& link) { return std::visit(question, link.kind); });
}

}  // namespace

std::vector<const DriverKind*> each_of(const DriverKind& driver) {
  std::vector<const DriverKind*> out;
  if (const auto* const chain = std::get_if<DriverChain>(&driver)) {
    for (const DriverLink& link : chain->links) out.push_back(&link.kind);
  } else if (!std::holds_alternative<std::monostate>(driver)) {
    out.push_back(&driver);
  }
  return out;
}

bool identifies(const DriverKind& driver) { return std::visit(Identifies(), driver); }

bool DriverChain::identifies() const { return any(links, Identifies()); }
bool DriverChain::switches() const { return any(links, Switches()); }
bool DriverChain::resumes() const { return any(links, Resumes()); }

Whom DriverChain::whom() const { return links.empty() ? Whom() : std::visit(WhomOf(), links.front().kind); }

std::vector<NamedCommand> DriverChain::commands(const std::string& owner) const {
  std::vector<NamedCommand> out;
  for (const DriverLink& link : links) {
    const std::string below = owner + "." + link.word;
    for (NamedCommand& command : std::visit(Commands{below}, link.kind)) out.push_back(std::move(command));
  }
  return out;
}

}  // namespace watcher
