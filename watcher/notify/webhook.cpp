#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "watcher/journal/codec.hpp"
#include "watcher/notify/fields.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/notify/notifiers.hpp"
#include "watcher/serve/json_text.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr int webhook_version = 1;

json::value number(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return *value;
}

json::value evidence_json(const rules::Comparison& comparison) {
  json::object object;
  object["condition"] = message_text(comparison.text);
  object["verdict"] = enumerator_name(comparison.verdict);
  object["value"] = number(comparison.value.value);
  object["threshold"] = number(comparison.threshold);
  object["unit"] = comparison.unit.empty() ? json::value(nullptr) : json::value(comparison.unit);
  object["count"] = number(comparison.value.count);
  object["errors"] = number(comparison.value.errors);
  object["unknown"] =
      comparison.value.value ? json::value(nullptr) : json::value(enumerator_name(comparison.value.cause));
  return object;
}

std::string body(const rules::Tell& tell, const std::string& watcher_name) {
  const rules::Comparison* comparison = decisive(tell);
  json::object object;
  object["version"] = webhook_version;
  for (const MessageField& field : message_fields()) object[field.name] = message_text(field.of(tell, watcher_name));
  object["outcome"] = tell.outcome ? json::value(enumerator_name(*tell.outcome)) : json::value(nullptr);
  object["value"] = comparison != nullptr ? number(comparison->value.value) : json::value(nullptr);
  object["threshold"] = comparison != nullptr ? number(comparison->threshold) : json::value(nullptr);
  json::array evidence;
  for (const rules::Comparison& each : tell.evidence) evidence.push_back(evidence_json(each));
  object["evidence"] = std::move(evidence);
  return to_text(object);
}

}  // namespace

constexpr NotifierType webhook{"webhook", "A POST of JSON with all that is known.", body, nullptr, nullptr};

}  // namespace watcher
