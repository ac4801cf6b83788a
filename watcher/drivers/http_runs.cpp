#include "watcher/drivers/http_runs.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <map>
#include <utility>
#include <variant>

#include "probes/parse/json.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

constexpr std::size_t runs_max = 1000;          // that are looked through; a page of a list has a hundred at most
constexpr std::size_t link_max = 500;           // bytes
constexpr std::size_t value_max = 100;          // bytes of a value that is told
constexpr std::size_t room = 64 * 1024 * 1024;  // bytes that the values of a list may take

bool has_id(std::string_view text, const std::string& id) {
  for (std::size_t at = text.find(id); at != text.npos; at = text.find(id, at + 1)) {
    const std::size_t end = at + id.size();
    const bool goes_on = end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '-');
    if (!goes_on) return true;
  }
  return false;
}

// An array stands for one of its values.
bool is_any_of(const probes::JsonBody& run, const std::string& pointer, const std::string& wanted) {
  if (run.equals(pointer, wanted)) return true;
  json::error_code failure;
  const json::value several = json::parse(wanted, failure);
  if (failure || !several.is_array()) return false;
  const json::array& values = several.get_array();
  return std::any_of(values.begin(), values.end(),
                     [&](const json::value& one) { return run.equals(pointer, json::serialize(one)); });
}

bool holds(const probes::JsonBody& run, const std::map<std::string, std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const auto& one) { return is_any_of(run, one.first, one.second); });
}

HttpRun read_run(const HttpWorkflow& config, const probes::JsonBody& body, std::string text) {
  HttpRun out;
  out.json = std::move(text);
  out.link = clean_line(body.text(config.run_link).value_or(""), link_max);
  out.done = holds(body, config.done);
  out.succeeded = out.done && holds(body, config.success);
  std::map<std::string, std::string> judged = config.done;
  judged.insert(config.success.begin(), config.success.end());
  for (const auto& [pointer, wanted] : judged) {
    const std::optional<std::string> value = body.text(pointer);
    if (!value) continue;
    const std::string name = pointer.substr(pointer.rfind('/') + 1);
    out.state = name + " " + clean_line(*value, value_max) + (out.state.empty() ? "" : ", ") + out.state;
  }
  return out;
}

}  // namespace

FoundRun find_run(const HttpWorkflow& config, std::string_view body, const std::string& id) {
  FoundRun out;
  const auto parsed = probes::JsonBody::parse(body, room);
  if (const auto* const fault = std::get_if<rules::Fault>(&parsed)) {
    out.error = fault->what;
    return out;
  }
  const auto& list = std::get<probes::JsonBody>(parsed);
  const std::optional<std::string> all = list.text(config.runs_json);
  if (!all || !all->starts_with('[')) {
    out.error = "the answer has no list at \"" + config.runs_json + "\"; is runs_json right?";
    return out;
  }
  for (std::size_t i = 0; i < runs_max; ++i) {
    const std::string at = config.runs_json + "/" + std::to_string(i);
    std::optional<std::string> text = list.text(at);
    if (!text) break;
    const auto is_named = [&](const std::string& pointer) { return has_id(list.text(at + pointer).value_or(""), id); };
    if (std::none_of(config.run_has_id.begin(), config.run_has_id.end(), is_named)) continue;
    const auto run = probes::JsonBody::parse(*text);
    if (const auto* const one = std::get_if<probes::JsonBody>(&run)) out.run = read_run(config, *one, *std::move(text));
    break;
  }
  return out;
}

}  // namespace watcher
