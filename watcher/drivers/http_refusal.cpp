#include "watcher/drivers/http_refusal.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "probes/parse/number.hpp"
#include "rules/base/secret_names.hpp"

namespace watcher {

namespace {

constexpr unsigned forbidden = 403;  // GitHub has it for limits as well
constexpr unsigned too_many_requests = 429;
constexpr double number_max = 1e10;  // seconds; more is no time, also none since 1970

std::optional<double> number_of(const HttpAnswer& answer, std::string_view name) {
  const auto& fields = answer.fields;
  const auto field =
      std::find_if(fields.begin(), fields.end(), [&](const auto& one) { return rules::lower(one.first) == name; });
  if (field == fields.end()) return std::nullopt;
  const std::optional<double> number = probes::parse_number(probes::trimmed(field->second));
  const bool is_time = number && *number >= 0 && *number <= number_max;
  return is_time ? number : std::nullopt;
}

}  // namespace

std::optional<rules::Duration> asked_again_after(const HttpAnswer& answer, rules::Instant now) {
  if (answer.fault || (answer.status != forbidden && answer.status != too_many_requests)) return std::nullopt;
  if (const auto length = number_of(answer, "retry-after")) return rules::from_seconds(*length);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> limits{
      {{"x-ratelimit-remaining", "x-ratelimit-reset"}, {"ratelimit-remaining", "ratelimit-reset"}}};
  for (const auto& [left, reset] : limits) {
    // What may not be done at all has these as well, and then some are left.
    const auto at = number_of(answer, reset);
    if (!at || number_of(answer, left) != 0.0) continue;
    return std::max<rules::Duration>(rules::from_unix_seconds(*at) - now, rules::Duration::zero());
  }
  return std::nullopt;
}

}  // namespace watcher
