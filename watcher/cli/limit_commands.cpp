#include <boost/json.hpp>

#include "watcher/cli/command_line.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

struct PauseArguments {
  std::string length;
  std::string service;
  std::string reason;
};

json::object with_service(const std::string& service) {
  json::object out;
  if (!service.empty()) out["service"] = service;
  return out;
}

int pause(const CommandLine& line, const PauseArguments& arguments) {
  json::object body = with_service(arguments.service);
  body["for"] = arguments.length;
  if (!arguments.reason.empty()) body["reason"] = arguments.reason;
  return request(line, "/api/v1/pause", body);
}

void add_pause(CLI::App& app, CommandLine& line) {
  const auto arguments = std::make_shared<PauseArguments>();  // shared with the action, which outlives this function
  CLI::App* const command =
      line.add(app, "pause", "act on nothing for a while. A pause always ends; rules start anew then.",
               [&line, arguments] { return pause(line, *arguments); });
  command->add_option("--for", arguments->length, "how long, such as 30m or 1h30m")
      ->required()
      ->type_name("DURATION")
      ->check(CLI::Validator(check_duration, "", "duration"));
  command->add_option("--service", arguments->service, "only this one (default: all)")->type_name("S");
  command->add_option("--reason", arguments->reason, "for those who wonder")->type_name("TEXT");
}

void add_resume(CLI::App& app, CommandLine& line) {
  const auto service = std::make_shared<std::string>();
  CLI::App* const command = line.add(app, "resume", "end a pause now", [&line, service] {
    return request(line, "/api/v1/resume", with_service(*service));
  });
  command->add_option("--service", *service, "only this one (default: all)")->type_name("S");
}

void add_fuse(CLI::App& app, CommandLine& line) {
  CLI::App* const fuse = CommandLine::add_group(app, "fuse", "the limits on how often a service is acted on");
  const auto service = std::make_shared<std::string>();
  CLI::App* const reset =
      line.add(*fuse, "reset", "forget what counted: the service may be acted on again",
               [&line, service] { return request(line, "/api/v1/fuse/reset", with_service(*service)); });
  reset->add_option("SERVICE", *service, "the service")->required();
}

}  // namespace

void add_limit_commands(CLI::App& app, CommandLine& line) {
  add_pause(app, line);
  add_resume(app, line);
  add_fuse(app, line);
  line.add(
      app, "accept-state",
      "accept that the journal was lost, damaged or gone. A new one was begun, and nothing was acted on since; mode is "
      "again what the configuration says.",
      [&line] { return request(line, "/api/v1/accept-state", {}); });
}

}  // namespace watcher
