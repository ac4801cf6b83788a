#include "watcher/drivers/environment_says.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "rules/base/shell_words.hpp"
#include "watcher/drivers/run_options.hpp"

namespace watcher {

namespace {

using std::string_view;

struct Variable {
  enum class Kind {
    path,       // one file or folder
    paths,      // several, with `between`
    libraries,  // the same, but what has no slash is looked for elsewhere
    script,     // what a shell runs
    options,    // what the program `between` takes for options
    agents,     // the options of a Java that load something
  };
  string_view name;
  Kind kind;
  string_view between{};
};

using Kind = Variable::Kind;

constexpr std::array variables{
    Variable{"BASH_ENV", Kind::path},
    Variable{"ENV", Kind::path},
    Variable{"HOME", Kind::path},
    Variable{"XDG_CONFIG_HOME", Kind::path},
    Variable{"PYTHONSTARTUP", Kind::path},
    Variable{"PYTHONHOME", Kind::path},
    Variable{"GIT_CONFIG_GLOBAL", Kind::path},
    Variable{"GIT_CONFIG_SYSTEM", Kind::path},
    Variable{"GIT_CONFIG", Kind::path},
    Variable{"GIT_EXEC_PATH", Kind::path},
    Variable{"GIT_TEMPLATE_DIR", Kind::path},
    Variable{"GIT_SSH", Kind::path},
    Variable{"GIT_ASKPASS", Kind::path},
    Variable{"GIT_PROXY_COMMAND", Kind::path},
    Variable{"SSH_ASKPASS", Kind::path},
    Variable{"SUDO_ASKPASS", Kind::path},
    Variable{"DOCKER_CONFIG", Kind::path},
    Variable{"OPENSSL_CONF", Kind::path},
    Variable{"OPENSSL_ENGINES", Kind::path},
    Variable{"OPENSSL_MODULES", Kind::path},
    Variable{"GEM_HOME", Kind::path},
    Variable{"BUNDLE_GEMFILE", Kind::path},
    Variable{"NPM_CONFIG_USERCONFIG", Kind::path},
    Variable{"NPM_CONFIG_GLOBALCONFIG", Kind::path},
    Variable{"LD_LIBRARY_PATH", Kind::paths, ":;"},
    Variable{"LD_AUDIT", Kind::libraries, ":"},
    Variable{"LD_PRELOAD", Kind::libraries, ": "},
    Variable{"PYTHONPATH", Kind::paths, ":"},
    Variable{"PERL5LIB", Kind::paths, ":"},
    Variable{"PERLLIB", Kind::paths, ":"},
    Variable{"RUBYLIB", Kind::paths, ":"},
    Variable{"GEM_PATH", Kind::paths, ":"},
    Variable{"NODE_PATH", Kind::paths, ":"},
    Variable{"CLASSPATH", Kind::paths, ":"},
    Variable{"AWKPATH", Kind::paths, ":"},
    Variable{"AWKLIBPATH", Kind::paths, ":"},
    Variable{"KUBECONFIG", Kind::paths, ":"},
    Variable{"COMPOSE_FILE", Kind::paths, ":"},
    Variable{"COMPOSE_ENV_FILES", Kind::paths, ","},
    Variable{"MAKEFILES", Kind::paths, " "},
    Variable{"NODE_OPTIONS", Kind::options, "node"},
    Variable{"RUBYOPT", Kind::options, "ruby"},
    Variable{"PERL5OPT", Kind::options, "perl"},
    Variable{"JAVA_TOOL_OPTIONS", Kind::agents},
    Variable{"JDK_JAVA_OPTIONS", Kind::agents},
    Variable{"_JAVA_OPTIONS", Kind::agents},
    Variable{"GIT_SSH_COMMAND", Kind::script},
    Variable{"GIT_EDITOR", Kind::script},
    Variable{"GIT_SEQUENCE_EDITOR", Kind::script},
    Variable{"GIT_PAGER", Kind::script},
    Variable{"GIT_EXTERNAL_DIFF", Kind::script},
    Variable{"RSYNC_RSH", Kind::script},
    Variable{"PAGER", Kind::script},
    Variable{"EDITOR", Kind::script},
    Variable{"VISUAL", Kind::script},
    Variable{"LESSOPEN", Kind::script},
};

// Settings of git that name what it runs or reads in; in small letters, those with a dot at either end are parts.
constexpr std::array<string_view, 19> running_settings{
    "core.sshcommand", "core.fsmonitor", "core.hookspath", "core.editor",       "core.pager",
    "core.gitproxy",   "core.askpass",   "include.path",   "credential.helper", "sequence.editor",
    "diff.external",   "gpg.program",    "alias.",         "filter.",           "includeif.",
    ".textconv",       ".driver",        "pager.",         "init.templatedir"};

bool runs(std::string key) {
  std::transform(key.begin(), key.end(), key.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::any_of(running_settings.begin(), running_settings.end(), [&](string_view one) {
    if (one.ends_with('.')) return key.starts_with(one);
    return one.starts_with('.') ? key.ends_with(one) : key == one;
  });
}

string_view value_of(std::span<const std::string> assignments, const std::string& name) {
  string_view value;
  for (const std::string& one : assignments) {
    if (one.starts_with(name + "=")) value = string_view(one).substr(name.size() + 1);
  }
  return value;
}

class Saying {
 public:
  explicit Saying(std::span<const std::string> assignments) : assignments_(assignments) {}

  EnvironmentSays run() && {
    for (const std::string& one : assignments_) {
      const std::size_t equals = one.find('=');
      if (equals == std::string::npos || equals == 0) continue;
      take(one.substr(0, equals), string_view(one).substr(equals + 1));
    }
    return std::move(out_);
  }

 private:
  void take(const std::string& name, string_view value) {
    if (name == "PATH") {
      out_.path = std::string(value);
      return split(value, ":", true);
    }
    if (name.starts_with("GIT_CONFIG_VALUE_")) return setting(name.substr(17), value);
    const auto known =
        std::find_if(variables.begin(), variables.end(), [&](const Variable& one) { return one.name == name; });
    if (known == variables.end() || value.empty()) return;
    switch (known->kind) {
      case Kind::path:
        return out_.paths.emplace_back(value), void();
      case Kind::paths:
        return split(value, known->between, true);
      case Kind::libraries:
        return split(value, known->between, false);
      case Kind::script:
        return out_.scripts.emplace_back(value), void();
      case Kind::options:
        return options(known->between, value);
      case Kind::agents:
        return agents(value);
    }
  }

  void split(string_view value, string_view between, bool also_bare) {
    for (std::size_t at = 0; at <= value.size();) {
      const std::size_t end = std::min(value.find_first_of(between, at), value.size());
      const string_view one = value.substr(at, end - at);
      if (!one.empty() && (also_bare || one.find('/') != one.npos)) out_.paths.emplace_back(one);
      at = end + 1;
    }
  }

  // `!command`, a command or a file, as the setting has it.
  void setting(const std::string& number, string_view value) {
    if (!runs(std::string(value_of(assignments_, "GIT_CONFIG_KEY_" + number)))) return;
    if (value.starts_with('!')) value.remove_prefix(1);
    out_.scripts.emplace_back(value);
    out_.maybe.emplace_back(value);
  }

  void options(string_view program, string_view value) {
    std::vector<std::string> words = rules::shell_words(value);
    words.insert(words.begin(), std::string(program));
    const RunProgram* const known = run_program(program);
    if (known == nullptr) return;
    for (std::string& argument : options_of(*known, words).arguments) out_.maybe.push_back(std::move(argument));
  }

  // -javaagent:FILE=WORDS
  void agents(string_view value) {
    for (const std::string& word : rules::shell_words(value)) {
      for (const string_view option : {"-javaagent:", "-agentpath:", "-Xbootclasspath/a:", "-Djava.ext.dirs="}) {
        if (!word.starts_with(option)) continue;
        const std::string said = word.substr(option.size());
        split(string_view(said).substr(0, said.find('=')), ":", true);
      }
    }
  }

  std::span<const std::string> assignments_;
  EnvironmentSays out_;
};

}  // namespace

std::vector<std::string> assignments_of(const std::map<std::string, rules::Text>& given) {
  std::vector<std::string> out;
  for (const auto& [name, text] : given) out.push_back(name + "=" + text.value);
  return out;
}

EnvironmentSays environment_says(std::span<const std::string> assignments) { return Saying(assignments).run(); }

}  // namespace watcher
