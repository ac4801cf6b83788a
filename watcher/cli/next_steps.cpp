#include "watcher/cli/next_steps.hpp"

#include <algorithm>
#include <utility>

#include "watcher/cli/command_line.hpp"
#include "watcher/cli/status_fields.hpp"

namespace watcher {

namespace json = boost::json;

std::vector<std::string> next_steps(const json::value& status, const OpenIncidents& incidents) {
  std::vector<std::string> out;
  for (const auto& [key, service] : object_at(status, "services")) {
    const std::string name(key);
    const std::string incident = text_of(service, "incident");
    if (const std::string why = text_of(service, "by_hand_not_ready"); !why.empty())
      out.push_back(name + ": what only a person begins is not ready: " + why);
    for (const json::value& driver : array_at(service, "drivers")) {
      if (!flag_at(driver, "ready") && flag_at(service, "rollback_ready"))
        out.push_back(name + ": " + text_of(driver, "driver") +
                      " could not roll it back: " + text_of(driver, "not_ready_reason"));
    }
    for (const char* const field : {"unfinished", "stopped"}) {
      if (const std::string what = text_of(service, field); !what.empty()) out.push_back(name + ": " + what);
    }
    if (!incident.empty()) out.push_back(about_incident(name, incident, of_service(incidents, name)));
    for (const std::string& flag : texts_at(service, "flags")) {
      if (flag == "paused") {
        out.push_back(name + " is paused until " + text_of(service, "paused_until") + ": rollbackd resume --service " +
                      name);
      } else if (flag == "fused") {
        out.push_back(name + " is fused (" + text_of(service, "fused_reason") + "): rollbackd fuse reset " + name);
      } else if (flag == "blind") {
        out.push_back(name + " has rules that cannot be observed: rollbackd explain");
      } else if (flag == "unreadable") {
        out.push_back(name + ": " + text_of(service, "unreadable_reason"));
      }
    }
  }
  return out;
}

static bool is_unanswered(const json::value& rule, const json::value& service) {
  return text_of(rule, "state") == "firing" && text_of(service, "incident").empty();
}

bool fires_unanswered(const json::value& status, std::string_view name) {
  const json::value service = object_at(object_at(status, "services"), name);
  const json::object& rules = object_at(status, "rules");
  return std::any_of(rules.begin(), rules.end(), [&](const auto& one) {
    return text_of(one.value(), "service") == name && is_unanswered(one.value(), service);
  });
}

std::vector<std::string> unanswered(const json::value& status) {
  std::vector<std::string> out;
  const json::value services = object_at(status, "services");
  for (const auto& [key, rule] : object_at(status, "rules")) {
    const std::string name = text_of(rule, "service");
    const json::value service = object_at(services, name);
    const std::vector<std::string> why = texts_at(rule, "missing");
    if (!is_unanswered(rule, service) || why.empty()) continue;
    std::string line = std::string(key) + " fires, and nothing is done: " + joined(why);
    if (flag_at(service, "rollback_ready")) line += "; by hand: rollbackd rollback " + name;
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace watcher
