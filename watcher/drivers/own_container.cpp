#include "watcher/drivers/own_container.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <utility>

#include "probes/net/child.hpp"
#include "probes/parse/number.hpp"
#include "watcher/drivers/ourselves.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/drivers/trusted_path.hpp"

namespace watcher {

namespace {

namespace asio = boost::asio;

constexpr rules::Duration question_limit = std::chrono::seconds(4);
constexpr const char* format =
    "{{.Name}}\t{{index .Config.Labels \"com.docker.compose.project\"}}\t"
    "{{index .Config.Labels \"com.docker.compose.service\"}}\t"
    "{{index .Config.Labels \"com.docker.compose.project.working_dir\"}}";

OwnContainer& kept() {
  static OwnContainer one{own_container()};
  return one;
}

asio::awaitable<void> ask() {
  probes::ChildSpec spec;
  spec.argv = {"docker", "inspect", "--type=container", "--format", format, kept().id};
  spec.limit = question_limit;
  spec.grace = std::chrono::seconds(1);
  spec.stragglers = probes::Stragglers::kill;
  const probes::ChildResult child = co_await run_trusted(std::move(spec));
  const bool is_said = child.end == probes::ChildEnd::exited && child.exit_code == 0;
  if (is_said) kept() = own_container_said(kept().id, child.output_stdout);
}

}  // namespace

OwnContainer own_container_said(std::string id, std::string_view said) {
  OwnContainer out{std::move(id)};
  std::array<std::string*, 4> parts{&out.name, &out.project, &out.service, &out.dir};
  said = said.substr(0, said.find('\n'));
  for (std::string* const part : parts) {
    const std::string_view word = said.substr(0, said.find('\t'));
    *part = std::string(probes::trimmed(word));
    said.remove_prefix(std::min(word.size() + 1, said.size()));
  }
  if (out.name.starts_with('/')) out.name.erase(0, 1);
  return out;
}

void ask_for_own_container() {
  if (kept().id.empty() || !find_command("docker")) return;
  asio::io_context loop;
  asio::co_spawn(loop, ask(), asio::detached);
  loop.run();
}

const OwnContainer& known_own_container() { return kept(); }

}  // namespace watcher
