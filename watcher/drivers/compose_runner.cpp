#include "watcher/drivers/compose_runner.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "probes/parse/number.hpp"
#include "watcher/drivers/runs_as.hpp"
#include "watcher/drivers/trusted_child.hpp"
#include "watcher/drivers/trusted_path.hpp"
#include "watcher/drivers/why_not.hpp"

namespace watcher {

namespace {

constexpr rules::Duration question_grace = std::chrono::seconds(1);
constexpr std::int64_t answer_max = 16 * 1024 * 1024;  // bytes; a container is described by 10 KiB

struct Advice {
  std::string_view said;  // by Docker or Compose, in English
  std::string_view then;  // DIR and USER stand for what they are
};

// The first that fits counts.
constexpr std::array<Advice, 10> advices{{
    {"ermission denied", "usermod -aG docker USER, or say user = \"root\""},
    {"Cannot connect to the Docker daemon", "start the daemon: systemctl start docker"},
    {"Connection refused", "start the daemon: systemctl start docker"},
    {"Connection aborted", "start the daemon: systemctl start docker"},
    {"no such command", "apt install docker.io, and Compose"},
    {"is not a docker command", "install the plugin docker-compose-plugin, or docker-compose, or say compose = [...]"},
    {"Can't find a suitable configuration file", "correct `dir`, or name the files: file = [...]"},
    {"no configuration file provided", "correct `dir`, or name the files: file = [...]"},
    {"no such file or directory", "put it there, or correct `file`"},
    {"No space left", "make room on the disk of Docker: docker system df"},
}};

// The files that Compose looks for in the folder; the first that is there, and the one that is laid over it.
std::vector<std::string> usual_files(const std::string& dir) {
  constexpr std::array<std::string_view, 4> first{"compose.yaml", "compose.yml", "docker-compose.yml",
                                                  "docker-compose.yaml"};
  std::vector<std::string> out;
  struct stat found {};
  for (const std::string_view name : first) {
    const std::string path = dir + "/" + std::string(name);
    if (::stat(path.c_str(), &found) != 0) continue;
    out.push_back(path);
    const std::string stem = path.substr(0, path.rfind('.'));
    for (const char* const ending : {".override.yml", ".override.yaml"}) {
      if (::stat((stem + ending).c_str(), &found) == 0) out.push_back(stem + ending);
    }
    break;
  }
  return out;
}

}  // namespace

bool ended_well(const probes::ChildResult& child) {
  return child.end == probes::ChildEnd::exited && child.exit_code == 0;
}

ComposeRunner::ComposeRunner(const ComposeDriver& config, probes::Started started)
    : config_(config), started_(std::move(started)) {}

std::string ComposeRunner::user() const { return runs_as(config_.dir, config_.user).user; }

// `docker` with the options that `docker compose` is given.
std::vector<std::string> ComposeRunner::engine() const {
  std::vector<std::string> argv = config_.compose;
  if (argv.size() > 1 && argv.back() == "compose") {
    argv.pop_back();
    return argv;
  }
  std::vector<std::string> usual(1, "docker");
  return usual;
}

std::string ComposeRunner::why_not_started() const {
  const RunsAs as = runs_as(config_.dir, config_.user);
  if (!as.error.empty()) return as.error;
  std::string refused = watcher::why_not_started({engine(), config_.dir, as.user});
  if (refused.empty()) refused = watcher::why_not_started({config_.compose, config_.dir, as.user});
  return refused;
}

std::vector<std::string> ComposeRunner::files() const {
  return config_.files.empty() ? usual_files(config_.dir) : config_.files;
}

std::string ComposeRunner::why_no_files() const {
  struct stat found {};
  if (::stat(config_.dir.c_str(), &found) != 0)
    return config_.dir + " is not there; do put the project there, or correct `dir`";
  for (const std::string& file : files()) {
    if (::stat(file.c_str(), &found) != 0) return file + " is not there; do put it there, or correct `file`";
    // What stands in it is run with the rights of Docker.
    if (const auto unsafe = changed_by_others(file, user()))
      return "other users could change the Compose file: " + *unsafe;
  }
  return {};
}

probes::ChildSpec ComposeRunner::plain(std::vector<std::string> argv, rules::Duration limit) const {
  probes::ChildSpec spec;
  spec.argv = std::move(argv);
  spec.dir = config_.dir;
  spec.user = user();
  // What the services of an earlier configuration were is not asked: none of the project is removed, whatever .env
  // says.
  spec.env = {{"LC_ALL", "C"}, {"DOCKER_CLI_HINTS", "false"}, {"COMPOSE_REMOVE_ORPHANS", "false"}};
  // In a switch a question may take its time: the host may be as busy as it is because of what goes.
  spec.limit = started_ ? std::max(limit, compose_question_limit) : limit;
  spec.grace = question_grace;
  spec.output_max = answer_max;
  return spec;
}

probes::ChildSpec ComposeRunner::changing(std::vector<std::string> argv, std::string stdin_file,
                                          rules::Duration limit) const {
  probes::ChildSpec spec = plain(std::move(argv), limit);
  spec.grace = probes::ChildSpec().grace;
  spec.stdin_file = std::move(stdin_file);
  spec.started = started_;
  return spec;
}

probes::ChildSpec ComposeRunner::question(std::vector<std::string> arguments, rules::Duration limit) const {
  std::vector<std::string> argv = engine();
  argv.insert(argv.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  return plain(std::move(argv), limit);
}

std::string ComposeRunner::advice_for(std::string_view said) const {
  for (const Advice& advice : advices) {
    if (said.find(advice.said) == said.npos) continue;
    std::string then = "; do " + std::string(advice.then);
    const std::size_t at = then.find("USER");
    if (at != std::string::npos) then.replace(at, 4, name_of(runs_as(config_.dir, config_.user)));
    return then;
  }
  return {};
}

ComposeError ComposeRunner::error_of(const probes::ChildSpec& spec, const probes::ChildResult& child) const {
  constexpr std::size_t words_shown = 6;
  std::string asked;
  for (std::size_t i = 0; i < spec.argv.size() && i < words_shown; ++i) {
    const std::string& word = spec.argv[i];
    asked += i == 0 ? word.substr(word.rfind('/') + 1) : " " + word;
  }
  if (spec.argv.size() > words_shown) asked += " ...";
  ComposeError error = tool_error(std::move(asked), "the Docker daemon hangs", spec, child);
  if (error.status == rules::StepStatus::failed) error.what += advice_for(last_words(child));
  return error;
}

asio::awaitable<ComposeAnswer> ComposeRunner::ask(probes::ChildSpec spec) const {
  const probes::ChildSpec given = spec;
  probes::ChildResult child = co_await run_trusted(std::move(spec));
  if (!ended_well(child)) co_return error_of(given, child);
  if (child.output_dropped > 0) co_return ComposeError{given.argv.front() + " printed more than can be read"};
  co_return std::move(child.output_stdout);
}

asio::awaitable<ComposeAnswer> ComposeRunner::docker(std::vector<std::string> arguments, rules::Duration limit) const {
  std::vector<std::string> argv = engine();
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  probes::ChildSpec spec = plain(std::move(argv), limit);
  co_return co_await ask(std::move(spec));
}

asio::awaitable<ComposeToolFound> ComposeRunner::look_for(std::vector<std::string> argv) const {
  ComposeTool tool;
  tool.argv = argv;
  argv.insert(argv.end(), {"version", "--short"});
  probes::ChildSpec spec = plain(std::move(argv), compose_question_limit);
  const ComposeAnswer answer = co_await ask(std::move(spec));
  if (const auto* const error = std::get_if<ComposeError>(&answer)) co_return *error;
  tool.version = std::string(probes::trimmed(std::get<std::string>(answer)));
  if (tool.version.starts_with('v')) tool.version.erase(0, 1);
  tool.is_first = tool.version.starts_with("1.");
  const bool is_version = !tool.version.empty() && tool.version.front() >= '1' && tool.version.front() <= '9';
  if (!is_version)
    co_return ComposeError{tool.argv.front() + " does not say which Compose it is; do correct `compose`"};
  co_return tool;
}

asio::awaitable<ComposeToolFound> ComposeRunner::find_tool(std::string made_by) const {
  if (!config_.compose.empty()) {
    std::vector<std::string> given = config_.compose;
    co_return co_await look_for(std::move(given));
  }
  std::vector<std::string> wanted = engine();
  wanted.emplace_back("compose");
  std::vector<std::string> other(1, "docker-compose");
  if (made_by.starts_with("1.")) std::swap(wanted, other);
  const ComposeToolFound best = co_await look_for(std::move(wanted));
  if (std::holds_alternative<ComposeTool>(best)) co_return best;
  const ComposeToolFound second = co_await look_for(std::move(other));
  if (std::holds_alternative<ComposeTool>(second)) co_return second;
  co_return ComposeError{"neither docker compose nor docker-compose can be run (" + std::get<ComposeError>(best).what +
                         ")"};
}

asio::awaitable<ComposeAnswer> ComposeRunner::compose(ComposeTool tool, std::string project,
                                                      std::vector<std::string> arguments) const {
  std::vector<std::string> argv = std::move(tool.argv);
  for (const std::string& file : config_.files) argv.insert(argv.end(), {"-f", file});
  if (!project.empty()) argv.insert(argv.end(), {"-p", project});
  for (const std::string& profile : config_.profiles) argv.insert(argv.end(), {"--profile", profile});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  probes::ChildSpec spec = plain(std::move(argv), compose_question_limit);
  co_return co_await ask(std::move(spec));
}

asio::awaitable<ComposeAnswer> ComposeRunner::read_file(std::string file) const {
  std::vector<std::string> argv{"cat", "--"};
  argv.push_back(std::move(file));
  probes::ChildSpec spec = plain(std::move(argv), docker_question_limit);
  co_return co_await ask(std::move(spec));
}

asio::awaitable<ComposeAnswer> ComposeRunner::write_file(std::string file, std::string ours) const {
  std::vector<std::string> argv{"tee", "--"};
  argv.push_back(std::move(file));
  probes::ChildSpec spec = changing(std::move(argv), std::move(ours), docker_question_limit);
  co_return co_await ask(std::move(spec));
}

}  // namespace watcher
