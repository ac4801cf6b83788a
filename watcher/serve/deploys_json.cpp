#include "watcher/serve/deploys_json.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <optional>

#include "watcher/serve/json_text.hpp"

namespace watcher {

namespace {

json::object to_object(const rules::LedgerRecord& record) {
  json::object object;
  object["service"] = record.service.text;
  object["revision"] = record.revision.text;
  object["label"] = text_or_null(record.label);  // what people called it; never an identity
  object["standing"] = rules::to_string(record.standing);
  object["appeared"] = to_rfc3339(record.appeared);
  object["deploy_began"] = to_json(record.deploy_began);
  object["deploy_seconds"] = nullptr;  // from `deploy begin` to `deploy end`
  if (record.deploy_began && record.deploy_ended)
    object["deploy_seconds"] = rules::seconds(*record.deploy_ended - *record.deploy_began);
  const bool ran = record.last_seen != rules::Instant();
  object["last_seen"] = to_json(ran ? std::optional(record.last_seen) : std::nullopt);
  object["adopted"] = record.adopted;
  object["baked_seconds"] = rules::seconds(std::chrono::nanoseconds(record.baked_ns));
  object["rollback"] = rules::to_string(record.policy);
  object["schema"] = text_or_null(record.schema);
  object["schema_other"] = text_or_null(record.schema_other);
  object["backup"] = text_or_null(record.backup);
  object["switches_away"] = record.switches_away;
  json::array preexisting;
  for (const rules::RuleName& rule : record.preexisting) preexisting.push_back(json::value(rule.text));
  object["preexisting"] = std::move(preexisting);
  return object;
}

}  // namespace

std::string deploys_json(std::vector<rules::LedgerRecord> ledger) {
  std::stable_sort(ledger.begin(), ledger.end(), [](const auto& a, const auto& b) { return a.appeared > b.appeared; });
  json::array array;
  for (const rules::LedgerRecord& record : ledger) array.push_back(to_object(record));
  json::object object;
  object["deploys"] = std::move(array);
  return to_text(object);
}

}  // namespace watcher
