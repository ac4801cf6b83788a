#pragma once

#include <string>
#include <vector>

#include "rules/incidents/records.hpp"

namespace watcher {

// The ledger: {"deploys":[{"service","revision","standing","appeared",...}]}, newest first.
std::string deploys_json(std::vector<rules::LedgerRecord> ledger);

}  // namespace watcher
