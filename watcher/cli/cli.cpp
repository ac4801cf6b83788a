#include "watcher/cli/cli.hpp"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <thread>

#include "watcher/cli/command_line.hpp"
#include "watcher/cli/usage.hpp"
#include "watcher/cli/visible_stream.hpp"
#include "watcher/run/plan_here.hpp"
#include "watcher/runner/run_runner.hpp"
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

constexpr const char* clear_screen = "\x1b[H\x1b[2J";
constexpr const char* clear_rest_of_line = "\x1b[K";

// The cursor stays where it was, so that what is written next is written over it. `words` are our own: ASCII.
void show_live(std::ostream& visible, std::ostream& screen, const std::string& words) {
  visible.flush();
  screen << clear_rest_of_line << words;
  if (!words.empty()) screen << "\x1b[" << words.size() << "D";
  screen.flush();
}

}  // namespace

int run_cli(const std::vector<std::string>& arguments, Terminal& outside) {
  VisibleStream out(outside.out);
  VisibleStream err(outside.err);
  Terminal terminal{out,          err,         outside.call,      outside.run, outside.wait, outside.is_screen,
                    outside.plan, outside.ask, outside.run_runner};
  if (outside.is_screen) {
    terminal.clear = [&] {
      out.flush();
      outside.out << clear_screen;
    };
    terminal.live = [&](const std::string& words) { show_live(out, outside.out, words); };
  }
  CLI::App app(description, "rollbackd");
  app.require_subcommand(1);
  app.set_version_flag("--version", "rollbackd " ROLLBACKD_VERSION, "print the version");
  CommandLine line(terminal);
  line.add_shared_options(app);
  add_watcher_commands(app, line);
  add_check_command(app, line);
  add_status_commands(app, line);
  add_history_commands(app, line);
  add_deploy_commands(app, line);
  add_incident_commands(app, line);
  add_limit_commands(app, line);
  add_notify_commands(app, line);
  add_help_command(app, line);
  app.footer(footer);  // after the commands, which would show it too
  // CLI11 takes a vector from its end.
  std::vector<std::string> last_first(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(last_first));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error, terminal.out, terminal.err);
    terminal.err << wrong_usage(app, arguments, error) << "\n";
    return exit_usage;
  }
  return line.perform();
}

namespace {

std::string ask_person(const std::string& question) {
  std::cerr << question << std::flush;
  std::string typed;
  std::getline(std::cin, typed);
  return typed;
}

}  // namespace

int cli_main(int argc, char** argv) {
  Terminal terminal{std::cout,
                    std::cerr,
                    [](const std::string& path, const ApiRequest& request) { return call(path, request); },
                    [](Config config, RunOptions options) { return run(std::move(config), std::move(options)); },
                    [](rules::Duration pause) {
                      std::this_thread::sleep_for(pause);
                      return true;
                    },
                    ::isatty(STDOUT_FILENO) == 1,
                    plan_here};
  if (::isatty(STDIN_FILENO) == 1) terminal.ask = ask_person;
  terminal.run_runner = [](Config config) { return run_runner(std::move(config)); };
  try {
    return run_cli(std::vector<std::string>(argv + 1, argv + argc), terminal);
  } catch (const std::exception& error) {
    std::cerr << "rollbackd: " << error.what() << "\n";
    return exit_no;
  }
}

}  // namespace watcher
