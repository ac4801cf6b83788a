#include "watcher/serve/evidence_json.hpp"

#include <algorithm>

#include "watcher/serve/json_text.hpp"

namespace watcher {

namespace {

json::object to_object(const rules::Comparison& comparison) {
  const rules::Measured& measured = comparison.value;
  json::object object;
  object["text"] = comparison.text;
  object["verdict"] = rules::to_string(comparison.verdict);
  object["value"] = to_json(measured.value);
  object["threshold"] = to_json(comparison.threshold);
  object["unit"] = text_or_null(comparison.unit);
  object["unknown"] = nullptr;
  if (!measured.value) object["unknown"] = rules::to_string(measured.cause);
  object["detail"] = text_or_null(measured.detail);
  object["count"] = measured.count;
  object["errors"] = measured.errors;
  object["window_seconds"] = rules::seconds(measured.window);
  object["approximate"] = measured.approximate;
  object["left_out"] = comparison.left_out;
  return object;
}

}  // namespace

json::array to_json(const std::vector<rules::Comparison>& comparisons) {
  json::array array;
  for (const rules::Comparison& comparison : comparisons) array.push_back(to_object(comparison));
  return array;
}

json::value to_json(const std::optional<rules::Progress>& progress) {
  if (!progress) return nullptr;
  json::object object;
  object["text"] = rules::told(*progress);
  object["step"] = std::min(progress->done + 1, progress->steps);
  object["steps"] = progress->steps;
  object["percent"] = progress->percent ? json::value(*progress->percent) : json::value(nullptr);
  object["left_seconds"] = progress->left ? json::value(rules::seconds(*progress->left)) : json::value(nullptr);
  return object;
}

}  // namespace watcher
