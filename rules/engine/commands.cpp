#include "rules/engine/commands.hpp"

#include <string_view>

#include "rules/engine/view.hpp"

namespace rules {

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::started:
      return "started";
    case Stage::late:
      return "late";
    case Stage::progress:
      return "progress";
    case Stage::ask:
      return "ask";
    case Stage::completed:
      return "completed";
    case Stage::failed:
      return "failed";
    case Stage::cleared:
      return "cleared";
    case Stage::blind:
      return "blind";
    case Stage::seeing:
      return "seeing";
    case Stage::fault:
      return "fault";
  }
  return "";
}

std::string_view to_string(ServiceState state) {
  switch (state) {
    case ServiceState::disarmed:
      return "disarmed";
    case ServiceState::armed:
      return "armed";
    case ServiceState::incident:
      return "incident";
  }
  return "";
}

}  // namespace rules
