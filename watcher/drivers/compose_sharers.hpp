#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>
#include <vector>

#include "watcher/drivers/compose_identity.hpp"
#include "watcher/drivers/compose_records.hpp"
#include "watcher/drivers/compose_runner.hpp"

namespace watcher {

// What runs in the network, among the processes, or with the memory or volumes of containers that are to be made anew
// (`network_mode: "service:web"`): they would take it from it, so it is made anew with them, from the image that it
// has.
struct ComposeSharers {
  std::string error;                        // for people; empty: all below is known
  std::map<std::string, ComposeRuns> runs;  // by service of the same project: its image, and how many run
  std::vector<std::string> others;          // names of containers that are not the project's to make anew
  std::vector<ComposeContainer> containers;
};

// Of all that runs on the host.
ComposeSharers sharers_among(const std::vector<ComposeContainer>& all, const ComposeLook& look);
asio::awaitable<ComposeSharers> who_shares(const ComposeRunner& runner, ComposeLook look);

// Why they could not be made anew with that configuration, for people, with what to do; empty: they could.
std::string why_cut_off(const ComposeSharers& sharers, const std::string& configuration, const rules::Revision& to);
// The same of a rollback that may come. Docker is asked only where something may share.
asio::awaitable<std::string> why_cut_off(const ComposeRunner& runner, ComposeLook look, ComposeRecords records,
                                         rules::Revision to);

// What people have to know of them, a line each.
std::vector<std::string> what_is_made_anew(const ComposeSharers& sharers);
// The same of those that do not run with what runs now.
std::vector<std::string> what_is_cut_off(const ComposeSharers& before, const ComposeSharers& now);

}  // namespace watcher
