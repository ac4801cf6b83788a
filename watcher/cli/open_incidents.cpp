#include "watcher/cli/open_incidents.hpp"

#include <boost/json.hpp>

namespace watcher {

namespace json = boost::json;

OpenIncidents open_incidents(const CommandLine& line, const json::value& status) {
  OpenIncidents out;
  const json::value* const services = status.is_object() ? status.get_object().if_contains("services") : nullptr;
  if (services == nullptr || !services->is_object()) return out;
  for (const auto& [name, service] : services->get_object()) {
    const std::string id = text_of(service, "incident");
    if (id.empty()) continue;
    Asked asked = ask(line, "GET", "/api/v1/incidents/" + url_encoded(id));
    if (asked.exit_code == exit_fine) out[std::string(name)] = std::move(asked.body);
  }
  return out;
}

const json::value& of_service(const OpenIncidents& incidents, const std::string& service) {
  static const json::value nothing;
  const auto found = incidents.find(service);
  return found == incidents.end() ? nothing : found->second;
}

std::string about_incident(const std::string& service, const std::string& id, const json::value& incident) {
  std::string text = service + " has an open incident";
  const std::string next = text_of(incident, "next");
  if (next.empty()) return text + ": rollbackd incidents " + id;
  const std::string asked = text_of(incident, "asked");
  const std::string waits = text_of(incident, "waiting_for");
  text += " (" + text_of(incident, "phase");
  if (!asked.empty() && text_of(incident, "phase") == "asking") text += ", because " + asked;
  if (!waits.empty()) text += ": " + waits;
  return text + "): " + next + "; its story: rollbackd incidents " + id;
}

}  // namespace watcher
