#include "watcher/drivers/kubernetes_shown.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <utility>
#include <vector>

namespace watcher {

namespace json = boost::json;

namespace {

using Row = std::vector<std::string>;

// A string as it is, another value as JSON; empty: nothing is there.
std::string at(const json::value& from, std::string_view pointer) {
  json::error_code error;
  const json::value* const found = from.find_pointer(pointer, error);
  if (found == nullptr || found->is_null()) return {};
  return found->is_string() ? std::string(found->get_string()) : json::serialize(*found);
}

const json::array& list_at(const json::value& from, std::string_view pointer) {
  static const json::array none;
  json::error_code error;
  const json::value* const found = from.find_pointer(pointer, error);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

// " NAME=VALUE", where there is one.
std::string said(const char* name, const json::value& from, std::string_view pointer) {
  const std::string value = at(from, pointer);
  return value.empty() ? "" : std::string(" ") + name + "=" + value;
}

std::string ending(const char* name, const json::value& status, const std::string& pointer) {
  if (at(status, pointer).empty()) return {};
  std::string out = std::string(" ") + name + "=" + at(status, pointer + "/reason");
  out += said("exit_code", status, pointer + "/exitCode");
  return out + said("at", status, pointer + "/finishedAt");
}

std::string container_shown(const json::value& status) {
  std::string out = "  " + at(status, "/name") + said("image", status, "/image") + " " + at(status, "/imageID");
  out += said("ready", status, "/ready") + said("restarts", status, "/restartCount");
  out += said("waiting", status, "/state/waiting/reason");
  out += ending("ended", status, "/state/terminated");
  return out + ending("last_end", status, "/lastState/terminated") + "\n";
}

std::string pod_shown(const json::value& pod) {
  std::string out = at(pod, "/metadata/name") + said("phase", pod, "/status/phase");
  out += said("node", pod, "/spec/nodeName") + said("started", pod, "/status/startTime");
  for (const json::value& condition : list_at(pod, "/status/conditions")) {
    if (at(condition, "/status") == "True") continue;
    const std::string reason = at(condition, "/reason");
    out += " " + at(condition, "/type") + "=" + at(condition, "/status");
    if (!reason.empty()) out += " (" + reason + ")";
  }
  out += "\n";
  for (const char* const list : {"/status/initContainerStatuses", "/status/containerStatuses"}) {
    for (const json::value& status : list_at(pod, list)) out += container_shown(status);
  }
  return out;
}

Row set_row(const json::value& set) {
  std::string images;
  for (const json::value& one : list_at(set, "/spec/template/spec/containers"))
    images += (images.empty() ? "" : ",") + at(one, "/image");
  return {at(set, "/metadata/name"),
          at(set, "/metadata/annotations/deployment.kubernetes.io~1revision"),
          at(set, "/spec/replicas"),
          at(set, "/status/readyReplicas"),
          at(set, "/metadata/creationTimestamp"),
          images};
}

// An event's time stands in one of these.
Row event_row(const json::value& event) {
  std::string last;
  for (const char* const time : {"/lastTimestamp", "/series/lastObservedTime", "/eventTime", "/firstTimestamp"}) {
    if (last.empty()) last = at(event, time);
  }
  return {last,
          at(event, "/count"),
          at(event, "/type"),
          at(event, "/reason"),
          at(event, "/involvedObject/name"),
          at(event, "/message")};
}

// Columns as wide as what is in them; the last one is as it is.
std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      out += row[i];
      out.append(widths[i] - row[i].size() + 3, ' ');
    }
    out += (row.empty() ? "" : row.back()) + "\n";
  }
  return out;
}

// Calls it with each item; what is no list is told.
template <class Take>
std::string each_item(std::string_view text, Take take) {
  json::error_code error;
  const json::value root = json::parse(text, error);
  const json::value* const items = !error && root.is_object() ? root.get_object().if_contains("items") : nullptr;
  // An empty one may be null.
  const bool is_list = items != nullptr && (items->is_array() || items->is_null());
  if (!is_list) return "[what the API server answered is no list]\n";
  for (const json::value& item : list_at(root, "/items")) take(item);
  return {};
}

}  // namespace

std::string kubernetes_pods_shown(std::string_view text) {
  std::string out;
  std::string trouble = each_item(text, [&](const json::value& pod) { out += pod_shown(pod); });
  return trouble + out;
}

std::string kubernetes_sets_shown(std::string_view text) {
  std::vector<Row> rows{{"NAME", "REVISION", "WANTED", "READY", "MADE", "IMAGES"}};
  std::string trouble = each_item(text, [&](const json::value& set) { rows.push_back(set_row(set)); });
  return trouble + table(rows);
}

std::string kubernetes_events_shown(std::string_view text) {
  std::vector<Row> rows;
  std::string trouble = each_item(text, [&](const json::value& event) { rows.push_back(event_row(event)); });
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.front() < b.front(); });
  rows.insert(rows.begin(), {"LAST", "COUNT", "TYPE", "REASON", "OBJECT", "MESSAGE"});
  return trouble + table(rows);
}

}  // namespace watcher
