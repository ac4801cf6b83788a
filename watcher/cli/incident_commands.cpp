#include <memory>

#include "watcher/cli/command_line.hpp"

namespace watcher {

namespace {

void add_word(CLI::App& app, CommandLine& line, const std::string& word, const std::string& description) {
  const auto id = std::make_shared<std::string>();  // shared with the action, which outlives this function
  CLI::App* const command = line.add(app, word, description, [&line, id, word] {
    return request(line, "/api/v1/incidents/" + url_encoded(*id) + "/" + word, {});
  });
  command->add_option("INCIDENT", *id, "the incident; rollbackd incidents lists them")->required();
}

}  // namespace

void add_incident_commands(CLI::App& app, CommandLine& line) {
  add_rollback_command(app, line);
  add_word(app, line, "approve", "let an incident that asks go on. What fired is looked at again first.");
  add_word(app, line, "abort", "stop an incident. A step that runs is ended; on_failure and always steps still run.");
  add_word(app, line, "ack", "say that you know of an incident that needs people: nobody is reminded of it any more.");
}

}  // namespace watcher
