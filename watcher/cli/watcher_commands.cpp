#include <boost/json.hpp>

#include "watcher/cli/command_line.hpp"
#include "watcher/run/giving_back.hpp"

namespace watcher {

namespace {

int run_watcher(const CommandLine& line, bool dry_run) {
  give_back_large_blocks();
  std::optional<Config> config = line.load();
  if (!config) {
    line.err() << "rollbackd: the configuration has errors; nothing was started\n";
    return exit_no;
  }
  RunOptions options;
  options.dry_run = dry_run;
  return line.terminal().run(*std::move(config), std::move(options));
}

int run_the_runner(const CommandLine& line) {
  give_back_large_blocks();
  std::optional<Config> config = line.load();
  if (config) return line.terminal().run_runner(*std::move(config));
  line.err() << "rollbackd: the configuration has errors; nothing was started\n";
  return exit_no;
}

int print_version(const CommandLine& line) {
  if (line.json())
    line.out() << boost::json::serialize(boost::json::object{{"version", ROLLBACKD_VERSION}}) << "\n";
  else
    line.out() << "rollbackd " << ROLLBACKD_VERSION << "\n";
  return exit_fine;
}

}  // namespace

void add_watcher_commands(CLI::App& app, CommandLine& line) {
  const auto dry_run = std::make_shared<bool>(false);  // shared with the action, which outlives this function
  CLI::App* const run =
      line.add(app, "run", "watch in the foreground until SIGTERM or SIGINT. SIGHUP reads the configuration again.",
               [&line, dry_run] { return run_watcher(line, *dry_run); });
  run->add_flag("--dry-run", *dry_run, "decide and tell, but change nothing (mode observe)");
  line.add(
      app, "runner",
      "run what the watcher asks for, in the foreground until SIGTERM or SIGINT. With watcher.runner set, `rollbackd "
      "run` needs no rights: this process, as root, reads the same configuration, and does what that defines and "
      "nothing else, for root and watcher.runner_user alone. SIGHUP reads the configuration again.",
      [&line] { return run_the_runner(line); });
  line.add(app, "reload",
           "have the running watcher read its configuration again. A wrong one changes nothing, and is told here.",
           [&line] { return request(line, "/api/v1/reload", {}); });
  line.add(app, "version", "print the version", [&line] { return print_version(line); });
}

}  // namespace watcher
