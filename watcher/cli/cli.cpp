#include "watcher/cli/cli.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

namespace watcher {

int cli_main(int argc, char** argv) {
  CLI::App app("Watches a deployed application and rolls it back when evidence over time says the deployment hurt it.");
  app.require_subcommand(1);
  app.add_subcommand("version", "print the version")->callback([] { std::printf("rollbackd %s\n", ROLLBACKD_VERSION); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return 0;
}

}  // namespace watcher
