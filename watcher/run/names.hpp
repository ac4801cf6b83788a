#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "rules/incidents/records.hpp"
#include "watcher/config/config.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

// What a person's word for a revision means: a tag, a branch, the first digits that are printed, or the id itself.
struct Meant {
  rules::Revision revision;  // empty: refused
  bool exists = false;       // it was seen to run, or its driver has it
  std::string refused;       // for people
  bool is_ambiguous = false;
  bool is_unchecked = false;  // it was never seen, and nobody can say whether there is such a one
};

// The id itself where it is known; else what the driver says; else, where the driver knows no names, the one revision
// of `known` that begins so, or the one that ends so behind a ':' or '/' (the tag of an image). A word that nobody
// knows is taken as it is where it could be right: not where all that is known are commits, or images, and it is none.
asio::awaitable<Meant> meant_by(rules::Revision word, Driver* driver, std::vector<rules::Revision> known);

// Of the ledger, the revisions of one service.
std::vector<rules::Revision> revisions_of(const std::vector<rules::LedgerRecord>& ledger,
                                          const rules::ServiceName& service);

// A name that a plan switches to.
struct PlanName {
  std::string name;
  bool responds = true;  // a rule of the service responds with the plan; else a person may name it
};
// Of the plans that are not another service's alone.
std::vector<PlanName> names_in_plans(const Config& config, const rules::ServiceName& service);
// What they mean now; none where the driver knows no names.
asio::awaitable<std::vector<rules::NamedRevision>> names_now(Driver& driver, std::vector<PlanName> names);
// Why a response could not switch, for people; empty: it could.
std::string why_no_name(const std::vector<PlanName>& names, const std::vector<rules::NamedRevision>& now);

}  // namespace watcher
