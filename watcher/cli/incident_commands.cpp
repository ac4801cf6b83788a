#include <boost/json/value.hpp>
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

void add_abort(CLI::App& app, CommandLine& line) {
  const auto id = std::make_shared<std::string>();  // shared with the action, which outlives this function
  const auto kill = std::make_shared<bool>(false);  // as above
  CLI::App* const command =
      line.add(app, "abort",
               "stop an incident. No further step is begun; one that changes what runs (a switch, "
               "a restart) is finished first, within its time limit. on_failure and always "
               "steps still run.",
               [&line, id, kill] {
                 boost::json::object body;
                 if (*kill) body["kill"] = true;
                 return request(line, "/api/v1/incidents/" + url_encoded(*id) + "/abort", body);
               });
  command->add_option("INCIDENT", *id, "the incident; rollbackd incidents lists them")->required();
  command->add_flag("--kill", *kill,
                    "end the step that runs, too: what it stopped may stay down. The drivers git and compose put back "
                    "what ran; a command of your own does not");
}

}  // namespace

void add_incident_commands(CLI::App& app, CommandLine& line) {
  add_rollback_command(app, line);
  add_word(app, line, "approve", "let an incident that asks go on. What fired is looked at again first.");
  add_abort(app, line);
  add_word(app, line, "ack", "say that you know of an incident that needs people: nobody is reminded of it any more.");
}

}  // namespace watcher
