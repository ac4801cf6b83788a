#include "watcher/drivers/read_schema.hpp"

#include <algorithm>
#include <utility>

#include "probes/net/child.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/run/log.hpp"

namespace watcher {

namespace {

constexpr rules::Duration schema_limit = std::chrono::seconds(10);
constexpr std::size_t schema_length_max = 200;  // of its first line: a version, not a listing

}  // namespace

asio::awaitable<SchemaRead> read_schema(std::vector<std::string> argv, std::string dir, Whom whom) {
  SchemaRead out;
  const RunsAs as = runs_as(whom.dir, whom.user);
  if (!as.error.empty()) {
    out.trouble = "what=" + log_value(as.error);
    co_return out;
  }
  probes::ChildSpec spec;
  spec.argv = std::move(argv);
  if (spec.argv.empty()) co_return out;
  const std::string command = spec.argv.front();
  spec.user = as.user;
  spec.dir = std::move(dir);
  spec.limit = schema_limit;
  const probes::ChildResult result = co_await run_trusted(std::move(spec));
  const bool printed = result.end == probes::ChildEnd::exited && result.exit_code == 0;
  if (printed) {
    const std::size_t line = result.output_stdout.find_first_of("\r\n");
    out.schema = result.output_stdout.substr(0, std::min(line, schema_length_max));
  } else {
    out.trouble = "command=" + log_value(command) + " what=" + log_value(result.error) +
                  " exit_code=" + std::to_string(result.exit_code);
  }
  co_return out;
}

}  // namespace watcher
