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

void add_cases(const CLI::App& command, const std::string& words, std::string& out) {
  for (const CLI::App* below : commands_of(command)) {
    const std::string path = words + below->get_name();
    out += "    '" + path + "') words='" + words_after(*below) + "' ;;\n";
    add_cases(*below, path + " ", out);
  }
}

std::string help_words() {
  std::set<std::string> all;
  for (const Section& section : sections()) all.emplace(section.name);
  for (const KeyRow& row : all_keys()) all.insert(row.path);
  std::string out;
  for (const std::string& word : all) out += (out.empty() ? "" : " ") + word;
  return out;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  add_cases(app, "", cases);
  // Options and their values stand between the commands' words: what begins with a dash is not one of them.
  return "_rollbackd() {\n"
         "  local word path='' words='" +
         words_after(app) +
         "'\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    [[ $word == -* ]] || path=\"${path:+$path }$word\"\n"
         "  done\n"
         "  case $path in\n"
         "    '') ;;\n" +
         cases +
         "    *) words='' ;;\n"
         "  esac\n"
         "  [[ $path == help ]] && words+=' " +
         help_words() +
         "'\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "  [[ ${COMP_WORDS[COMP_CWORD-1]} == --config ]] && COMPREPLY=($(compgen -f -- "
         "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -F _rollbackd rollbackd\n";
}

}  // namespace watcher
