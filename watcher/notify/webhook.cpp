#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cmath>

#include "probes/key_rows.hpp"
#include "watcher/config/notifier.hpp"
#include "watcher/journal/codec.hpp"
#include "watcher/notify/base64.hpp"
#include "watcher/notify/fields.hpp"
#include "watcher/notify/message.hpp"
#include "watcher/serve/json_text.hpp"

namespace watcher {

namespace {

namespace json = boost::json;
using probes::key;
using probes::Kind;

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

constexpr std::string_view encoded_mark = "whsec_";  // before a secret in base64

// A random one is made with: echo whsec_$(openssl rand -base64 24)
std::string key_of(const std::string& secret) {
  if (!secret.starts_with(encoded_mark)) return secret;
  return from_base64(std::string_view(secret).substr(encoded_mark.size())).value_or(secret);
}

std::string signature(const std::string& secret, const std::string& signed_content) {
  const std::string key = key_of(secret);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(signed_content.data()), signed_content.size(), digest.data(), &length);
  return "v1," + to_base64({reinterpret_cast<const char*>(digest.data()), length});
}

constexpr std::array keys{
    key<Kind::text, &WebhookNotifier::secret>(
        "secret", "Signs each message, as Standard Webhooks has it: webhook-id, webhook-timestamp, webhook-signature.")
        .when_left_out("not signed"),
};

void settle(void* object, probes::Given& given) {
  const std::string& secret = static_cast<const WebhookNotifier*>(object)->secret.value;
  if (given.has("secret") && secret.empty()) given.error("secret", "is empty; leave it out to send unsigned");
  const bool is_encoded = secret.starts_with(encoded_mark);
  if (is_encoded && !from_base64(std::string_view(secret).substr(encoded_mark.size())))
    given.error("secret", "is no base64 behind whsec_; make one with echo whsec_$(openssl rand -base64 24)");
}

}  // namespace

std::string WebhookNotifier::body(const Message& message) const {
  if (message.text != nullptr) return *message.text;
  const rules::Tell& tell = message.tell;
  const rules::Comparison* comparison = decisive(tell);
  json::object object;
  object["version"] = webhook_version;
  for (const MessageField& field : message_fields())
    object[field.name] = message_text(field.of(tell, message.watcher_name));
  object["outcome"] = tell.outcome ? json::value(enumerator_name(*tell.outcome)) : json::value(nullptr);
  object["value"] = comparison != nullptr ? number(comparison->value.value) : json::value(nullptr);
  object["threshold"] = comparison != nullptr ? number(comparison->threshold) : json::value(nullptr);
  json::array evidence;
  for (const rules::Comparison& each : tell.evidence) evidence.push_back(evidence_json(each));
  object["evidence"] = std::move(evidence);
  return to_text(object);
}

// A template is the whole body, and most are JSON.
std::string WebhookNotifier::escaped(std::string_view value) { return json_escaped(value); }

void WebhookNotifier::complete(Outgoing& out, const Attempt& attempt) const {
  if (secret.value.empty()) return;
  const std::string at =
      std::to_string(std::chrono::floor<std::chrono::seconds>(attempt.at.time_since_epoch()).count());
  out.headers.push_back("webhook-id: " + attempt.key);
  out.headers.push_back("webhook-timestamp: " + at);
  out.headers.push_back("webhook-signature: " + signature(secret.value, attempt.key + "." + at + "." + out.body));
}

probes::Variety WebhookNotifier::variety() {
  return probes::variety<NotifierKind, WebhookNotifier>("webhook", "A POST of JSON with all that is known.", keys,
                                                        settle);
}

}  // namespace watcher
