#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "watcher/drivers/compose_identity.hpp"
#include "watcher/drivers/compose_records.hpp"
#include "watcher/drivers/compose_runner.hpp"

namespace watcher {

// Why nothing is known by which that revision could be made to run again, for people, with what to do; empty: all is.
std::string why_no_target(const ComposeRecords& records, const rules::Revision& to, const ComposeDriver& config);

// Why its images cannot be used: they are gone from this host, or Docker does not answer. Empty: they can. Nothing is
// ever fetched for a rollback: a registry need not answer at night.
asio::awaitable<std::string> why_no_images(const ComposeRunner& runner, ComposeRecord target);

// Why its containers must not be made anew by us: we run in one of them. Empty: we do not.
std::string why_own_container(const ComposeLook& look);

}  // namespace watcher
