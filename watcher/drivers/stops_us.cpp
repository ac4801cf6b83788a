#include "watcher/drivers/stops_us.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "watcher/drivers/command_words.hpp"
#include "watcher/drivers/compose_reading.hpp"
#include "watcher/drivers/kubernetes_account.hpp"
#include "watcher/drivers/option_words.hpp"
#include "watcher/drivers/ourselves.hpp"
#include "watcher/drivers/shell_commands.hpp"

namespace watcher {

namespace {

using std::string_view;
using Words = std::span<const std::string>;
using Line = OptionWords;
using Verb = OptionVerb;
using Names = OptionNames;

constexpr int depth_max = 4;  // scripts within scripts

template <std::size_t size>
bool is_one_of(const std::string& word, const std::array<string_view, size>& all) {
  return std::find(all.begin(), all.end(), word) != all.end();
}

// What only has its receiver look at something again.
bool is_harmless(const Line& line) {
  constexpr std::array<string_view, 4> signals{"HUP", "SIGHUP", "1", "0"};
  const std::string named = line.value({"-s", "--signal"});
  return is_one_of(named, signals) || std::any_of(line.flags.begin(), line.flags.end(), [&](const std::string& flag) {
           return is_one_of(flag.substr(1), signals);
         });
}

std::string stopped_unit(Words words) {
  constexpr std::array<string_view, 9> verbs{"stop",   "restart",           "try-restart",
                                             "kill",   "reload-or-restart", "isolate",
                                             "freeze", "condrestart",       "try-reload-or-restart"};
  const Line line =
      option_words(words, {"-H", "--host", "-M", "--machine", "-s", "--signal", "-t", "--type", "--job-mode"});
  const bool is_elsewhere = !line.value({"-H", "--host", "-M", "--machine"}).empty();
  if (is_elsewhere || is_harmless(line) || !is_one_of(line.word(0), verbs)) return {};
  const auto own = std::find_if(line.words.begin() + 1, line.words.end(), is_own_unit);
  return own == line.words.end() ? "" : *own;
}

// `service rollbackd restart`
std::string stopped_by_service(Words words) {
  constexpr std::array<string_view, 3> verbs{"stop", "restart", "force-reload"};
  const Line line = option_words(words, {});
  return is_own_unit(line.word(0)) && is_one_of(line.word(1), verbs) ? line.word(0) : "";
}

std::string stopped_by_name(Words words) {
  const Line line = option_words(words, {"-s", "--signal", "-u", "-U", "-g", "-P", "-t"});
  const auto own = std::find_if(line.words.begin(), line.words.end(), [](const std::string& word) {
    return word == "rollbackd" || word.starts_with("rollbackd ") || word.ends_with("/rollbackd");
  });
  return own == line.words.end() || is_harmless(line) ? "" : *own;
}

// Docker takes the beginning of an id as well; nobody writes less than what `docker ps` shows.
bool is_own(const OwnContainer& own, const std::string& name) {
  constexpr std::size_t shortest = 12;
  const bool is_id = name.size() >= shortest && own.id.starts_with(name);
  return is_id || (!own.name.empty() && (name == own.name || name == "/" + own.name));
}

std::string variable(const char* name, const StopsWhere& where) {
  const std::string beginning = std::string(name) + "=";
  for (const std::string& one : where.env) {
    if (one.starts_with(beginning)) return one.substr(beginning.size());
  }
  const char* const ours = std::getenv(name);
  return ours == nullptr ? "" : ours;
}

bool is_own_project(const OwnContainer& own, const Line& line, const StopsWhere& where) {
  std::string name = line.value({"-p", "--project-name"});
  if (name.empty()) name = variable("COMPOSE_PROJECT_NAME", where);
  if (!name.empty()) return name == own.project;
  std::filesystem::path folder = where.dir;
  const std::string file = line.value({"-f", "--file"});
  if (!file.empty()) folder = (folder / file).parent_path();
  const std::string named = line.value({"--project-directory"});
  if (!named.empty()) folder = std::filesystem::path(where.dir) / named;
  if (!folder.has_filename()) folder = folder.parent_path();
  return folder.lexically_normal() == own.dir || project_named_after(folder.string()) == own.project;
}

// What Compose stops: all of a project where no service is named.
std::string stopped_by_compose(const OwnContainer& own, Words words, const StopsWhere& where) {
  constexpr std::array<string_view, 5> verbs{"stop", "restart", "kill", "down", "pause"};
  const Names valued{"-f",         "--file",     "-p", "--project-name", "--project-directory",
                     "--profile",  "--env-file", "-c", "--context",      "--ansi",
                     "--progress", "--parallel", "-H", "--host",         "--log-level"};
  const bool is_rm = option_verb(words, valued, {}).name == "rm";
  Names behind{"-t", "--timeout", "--signal", "--scale", "--rmi"};
  if (!is_rm) behind.insert("-s");
  const Verb verb = option_verb(words, valued, behind);
  if (own.project.empty() || is_harmless(verb.behind) || !is_own_project(own, verb.before, where)) return {};
  const auto& named = verb.behind.words;
  const bool is_all = named.empty();
  if (!is_all && std::find(named.begin(), named.end(), own.service) == named.end()) return {};
  const auto& flags = verb.behind.flags;
  // Of what still runs it removes nothing without being told to.
  const bool stops_first = flags.contains("-s") || flags.contains("--stop") || flags.contains("-sf") ||
                           flags.contains("-fs") || flags.contains("-sfv");
  bool stops = is_one_of(verb.name, verbs) || (is_rm && stops_first);
  stops = stops || (verb.name == "up" && (!is_all || flags.contains("--force-recreate")));
  if (!stops) return {};
  return (is_all ? "all" : own.service) + " of the Compose project " + own.project;
}

std::string stopped_by_docker(const OwnContainer& own, Words words, const StopsWhere& where) {
  constexpr std::array<string_view, 5> verbs{"stop", "restart", "kill", "rm", "pause"};
  const Names valued{"-H", "--host", "-c", "--context", "--config", "-l", "--log-level"};
  if (own.id.empty()) return {};
  for (std::string name = "container"; name == "container";) {
    const Verb verb = option_verb(words, valued, {"-t", "--time", "--timeout", "-s", "--signal"});
    name = verb.name;
    if (name == "compose" || name == "container") {
      words = words.subspan(static_cast<std::size_t>(std::find(words.begin(), words.end(), name) - words.begin()) + 1);
      if (name == "compose") return stopped_by_compose(own, words, where);
      continue;
    }
    if (!is_one_of(name, verbs) || is_harmless(verb.behind)) return {};
    for (const std::string& one : verb.behind.words) {
      if (is_own(own, one)) return "the container " + one;
    }
  }
  return {};
}

// "deployments.apps" is a kind as well.
bool is_kind(const std::string& word) {
  constexpr std::array<string_view, 10> kinds{"pod",    "pods",       "po",          "deployment", "deployments",
                                              "deploy", "replicaset", "replicasets", "rs",         "all"};
  return is_one_of(word.substr(0, word.find('.')), kinds);
}

// "deployment/web", "deployment web", "pods web-1 web-2"
std::string own_among(Words words) {
  bool is_behind_kind = false;
  for (const std::string& word : words) {
    const std::size_t slash = word.find('/');
    const bool is_workload = slash == word.npos ? is_behind_kind : is_kind(word.substr(0, slash));
    if (is_workload && is_own_workload(word)) return word;
    is_behind_kind = is_behind_kind || is_kind(word);
  }
  return {};
}

std::string stopped_workload(Words words) {
  constexpr std::array<string_view, 8> verbs{"delete", "restart", "undo", "scale", "patch", "replace", "set", "evict"};
  const Line line =
      option_words(words, {"-n",         "--namespace",    "--context", "--kubeconfig", "--cluster", "--user",
                           "-l",         "--selector",     "-f",        "--filename",   "-p",        "--patch",
                           "--type",     "--grace-period", "--timeout", "-o",           "--output",  "-s",
                           "--replicas", "--server",       "--token",   "--as"});
  const std::size_t at = line.word(0) == "rollout" ? 1 : 0;
  const std::optional<KubernetesAccount> account = pod_account();
  if (!account || !is_one_of(line.word(at), verbs)) return {};
  const std::string own = account->name_space();
  const std::string other = line.value({"-n", "--namespace"});
  const std::string kind = line.word(at + 1);
  const bool deletes = line.word(at) == "delete";
  const bool is_space = kind == "namespace" || kind == "namespaces" || kind == "ns";
  if (deletes && is_space && !own.empty() && line.word(at + 2) == own) return "the namespace " + own;
  if (!other.empty() && !own.empty() && other != own) return {};
  if (deletes && line.flags.contains("--all") && is_kind(kind)) return "all " + kind + " of its namespace";
  return own_among(Words(line.words).subspan(at + 1));
}

class Look {
 public:
  Look(const OwnContainer& own, const StopsWhere& where) : own_(own), where_(where) {}

  // What a command line stops; empty: nothing of ours.
  std::string stopped(const std::vector<std::string>& argv, const StopsWhere& where, int depth) const {
    Words words(argv);
    for (RunsNext next; !words.empty(); words = next.words) {
      next = runs_next(words);
      if (next.what != RunsNext::What::command) break;
    }
    if (words.empty()) return {};
    const std::string script = script_of({words.begin(), words.end()});
    return script.empty() ? by_program(words, where) : in_script(script, depth);
  }

 private:
  std::string by_program(Words words, const StopsWhere& where) const {
    const std::string program = words.front().substr(words.front().rfind('/') + 1);
    words = words.subspan(1);
    if (program == "systemctl") return stopped_unit(words);
    if (program == "service") return stopped_by_service(words);
    if (program == "pkill" || program == "killall") return stopped_by_name(words);
    if (program == "kubectl") return stopped_workload(words);
    if (program == "docker-compose") return stopped_by_compose(own_, words, where);
    if (program == "docker") return stopped_by_docker(own_, words, where);
    return {};
  }

  std::string in_script(const std::string& script, int depth) const {
    if (depth == 0) return {};
    for (const ShellCommand& command : lines_in_shell(script)) {
      StopsWhere there = where_;
      if (command.dir && !command.dir->empty())
        there.dir = (std::filesystem::path(where_.dir) / *command.dir).lexically_normal().string();
      std::string found = stopped(command.words, there, depth - 1);
      if (!found.empty()) return found;
    }
    return {};
  }

  const OwnContainer& own_;
  const StopsWhere& where_;
};

}  // namespace

std::string why_stops(const OwnContainer& own, const std::vector<std::string>& argv, const StopsWhere& where) {
  const std::string what = Look(own, where).stopped(argv, where, depth_max);
  if (what.empty()) return {};
  return "it stops " + what + ": that would end rollbackd itself, and the rollback with it; do leave it out";
}

std::string why_stops_us(const std::vector<std::string>& argv, const StopsWhere& where) {
  return why_stops(known_own_container(), argv, where);
}

}  // namespace watcher
