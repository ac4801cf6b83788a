#include "watcher/cli/completion.hpp"

#include <set>

#include "watcher/cli/usage.hpp"
#include "watcher/config/schema.hpp"

namespace watcher {

namespace {

std::string words_after(const CLI::App& command) {
  std::string out;
  for (const CLI::App* below : commands_of(command)) out += " " + below->get_name();
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) out += " --" + name;
  }
  return out.substr(out.empty() ? 0 : 1);
}

// Of all commands: what stands after one of these is its value, and no command.
void add_valued(const CLI::App& command, std::set<std::string>& out) {
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (option->get_expected_min() > 0) out.insert("--" + name);
    }
  }
  for (const CLI::App* below : commands_of(command)) add_valued(*below, out);
}

void add_cases(const CLI::App& command, const std::string& words, std::string& out) {
  for (const CLI::App* below : commands_of(command)) {
    const std::string path = words + below->get_name();
    out += "    '" + path + "') words='" + words_after(*below) + "' ;;\n";
    add_cases(*below, path + " ", out);
  }
}

void add_paths(const CLI::App& command, const std::string& words, std::string& out) {
  for (const CLI::App* below : commands_of(command)) {
    const std::string path = words + below->get_name();
    out += (out.empty() ? "'" : "|'") + path + "'";
    add_paths(*below, path + " ", out);
  }
}

template <class Words>
std::string joined(const Words& all, const char* between) {
  std::string out;
  for (const std::string& word : all) out += (out.empty() ? "" : between) + word;
  return out;
}

std::string help_words(const CLI::App& app) {
  std::set<std::string> all;
  for (const CLI::App* command : commands_of(app)) all.insert(command->get_name());
  for (const Section& section : sections()) all.emplace(section.name);
  for (const KeyRow& row : all_keys()) all.insert(row.path);
  return joined(all, " ");
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  add_cases(app, "", cases);
  std::string paths;
  add_paths(app, "", paths);
  std::set<std::string> valued;
  add_valued(app, valued);
  // Options, their values, and names of services or incidents stand between and behind the commands' words.
  return "_rollbackd() {\n"
         "  local word is_value='' path='' words='" +
         words_after(app) +
         "'\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    if [[ $is_value ]]; then is_value=''; continue; fi\n"
         "    case $word in " +
         joined(valued, "|") +
         ") is_value=1; continue ;; -*) continue ;; esac\n"
         "    case \"${path:+$path }$word\" in\n"
         "      " +
         paths +
         ") path=\"${path:+$path }$word\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case $path in\n" +
         cases +
         "  esac\n"
         "  [[ $path == help ]] && words+=' " +
         help_words(app) +
         "'\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "  [[ ${COMP_WORDS[COMP_CWORD-1]} == --config ]] && COMPREPLY=($(compgen -f -- "
         "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -F _rollbackd rollbackd\n";
}

}  // namespace watcher
