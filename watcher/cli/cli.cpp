#include "watcher/cli/cli.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>

#include "watcher/cli/command_line.hpp"
#include "watcher/serve/client.hpp"

namespace watcher {

namespace {

constexpr const char* description =
    "Watches a deployed application and rolls it back when evidence over time says that the deployment hurt it.";

constexpr const char* footer =
    "First steps:\n"
    "  rollbackd check --config FILE            is the configuration right?\n"
    "  rollbackd check --online --config FILE   do the probes answer, could it roll back?\n"
    "  rollbackd run --dry-run --config FILE    watch, but change nothing\n"
    "  rollbackd status                         what is so now\n"
    "Exit codes: 0 fine; 1 the answer is no; 2 wrong usage; 3 no watcher answers.";

}  // namespace

int run_cli(std::vector<std::string> arguments, Terminal& terminal) {
  CLI::App app(description, "rollbackd");
  app.require_subcommand(1);
  CommandLine line(terminal);
  add_watcher_commands(app, line);
  add_check_command(app, line);
  add_status_commands(app, line);
  add_history_commands(app, line);
  add_deploy_commands(app, line);
  add_incident_commands(app, line);
  add_limit_commands(app, line);
  add_notify_commands(app, line);
  app.footer(footer);                                // after the commands, which would show it too
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes a vector from its end
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, terminal.out, terminal.err) == 0 ? exit_fine : exit_usage;
  }
  return line.perform();
}

int cli_main(int argc, char** argv) {
  Terminal terminal{std::cout, std::cerr,
                    [](const std::string& path, const ApiRequest& request) { return call(path, request); },
                    [](Config config, RunOptions options) { return run(std::move(config), std::move(options)); },
                    [](rules::Duration pause) {
                      std::this_thread::sleep_for(pause);
                      return true;
                    }};
  try {
    return run_cli(std::vector<std::string>(argv + 1, argv + argc), terminal);
  } catch (const std::exception& error) {
    std::cerr << "rollbackd: " << error.what() << "\n";
    return exit_no;
  }
}

}  // namespace watcher
