#include "watcher/cli/usage.hpp"

#include <algorithm>
#include <array>

#include "watcher/config/findings.hpp"

namespace watcher {

namespace {

// Commands of the contract that this version does not have.
constexpr std::array<std::string_view, 5> later_commands{"test", "replay", "tune", "drill", "init"};

// How far the words of a command line could be followed.
struct Followed {
  const CLI::App* command = nullptr;
  std::string words;    // "rollbackd deploy begin"
  std::string unknown;  // the word where a command should have been
};

std::vector<std::string> names_of_commands(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* command : commands_of(app)) out.push_back(command->get_name());
  return out;
}

bool is_option(const std::string& word) { return word.size() > 1 && word.front() == '-'; }

const CLI::Option* option_of(const CLI::App& app, const std::string& word) {
  return app.get_option_no_throw(word.substr(0, word.find('=')));
}

bool takes_next_word(const CLI::App& app, const std::string& word) {
  const CLI::Option* const option = option_of(app, word);
  return option != nullptr && option->get_expected_min() > 0 && word.find('=') == std::string::npos;
}

Followed follow(const CLI::App& program, const std::vector<std::string>& arguments) {
  Followed out{&program, program.get_name(), ""};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (commands_of(*out.command).empty()) return out;
    const std::string& word = arguments[i];
    if (is_option(word)) {
      if (takes_next_word(*out.command, word)) ++i;
      continue;
    }
    const CLI::App* const next = command_named(*out.command, word);
    if (next == nullptr) {
      out.unknown = word;
      return out;
    }
    out.command = next;
    out.words += " " + word;
  }
  return out;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string no_such_command(const Followed& followed, const std::vector<std::string>& commands) {
  if (std::find(later_commands.begin(), later_commands.end(), followed.unknown) != later_commands.end())
    return "command \"" + followed.unknown + "\" is not in this version of rollbackd; it has " + listed(commands);
  return "there is no command \"" + followed.unknown + "\"" + did_you_mean(followed.unknown, commands) + " (one of " +
         listed(commands) + ")";
}

// Empty when the command knows them all. One that is mistyped also makes what it should have given missing.
std::string unknown_option(const CLI::App& command, const std::vector<std::string>& arguments) {
  std::vector<std::string> options;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
  }
  for (const std::string& word : arguments) {
    if (word == "--") break;
    if (!is_option(word) || option_of(command, word) != nullptr) continue;
    const std::string name = word.substr(0, word.find('='));
    return "there is no option " + name + did_you_mean(name, options);
  }
  return {};
}

}  // namespace

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

const CLI::App* command_named(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : commands_of(app)) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

std::string wrong_usage(const CLI::App& program, const std::vector<std::string>& arguments,
                        const CLI::ParseError& error) {
  const Followed followed = follow(program, arguments);
  const std::vector<std::string> commands = names_of_commands(*followed.command);
  std::string what = unknown_option(*followed.command, arguments);
  if (!followed.unknown.empty())
    what = no_such_command(followed, commands);
  else if (what.empty())
    what = commands.empty() ? error.what() : "say what to do: one of " + listed(commands);
  return followed.words + ": " + what + "\nnext: " + followed.words + " --help";
}

}  // namespace watcher
