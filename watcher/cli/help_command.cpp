#include <algorithm>
#include <boost/json.hpp>

#include "watcher/cli/command_line.hpp"
#include "watcher/cli/completion.hpp"
#include "watcher/cli/table.hpp"
#include "watcher/cli/usage.hpp"
#include "watcher/config/findings.hpp"
#include "watcher/config/schema.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

bool is_section(std::string_view name) {
  const std::vector<Section> all = sections();
  return std::any_of(all.begin(), all.end(), [&](const Section& section) { return section.name == name; });
}

// "rule.slow.for" and "probe.tcp.port" say rule.for and probe.port.
std::string without_name(const std::string& asked) {
  const std::size_t first = asked.find('.');
  const std::size_t second = first == std::string::npos ? first : asked.find('.', first + 1);
  return second == std::string::npos ? asked : asked.substr(0, first) + asked.substr(second);
}

std::vector<KeyRow> rows_at(const std::string& path) {
  std::vector<KeyRow> out;
  for (KeyRow& row : all_keys()) {
    if (row.path == path) out.push_back(std::move(row));
  }
  return out;
}

// The rows of a section, of one of its varieties, or below a table.
std::vector<KeyRow> rows_below(const std::string& path) {
  std::vector<KeyRow> out;
  const std::size_t dot = path.rfind('.');
  for (KeyRow& row : all_keys()) {
    const bool of_section = row.section == path;
    const bool of_table = row.path.starts_with(path + ".") && !is_section(path);
    const bool of_variety = dot != std::string::npos && row.section == path.substr(0, dot) &&
                            std::find(row.only.begin(), row.only.end(), path.substr(dot + 1)) != row.only.end();
    if (of_section || of_table || of_variety) out.push_back(std::move(row));
  }
  return out;
}

json::object to_json(const KeyRow& row) {
  json::array only(row.only.begin(), row.only.end());
  return {{"key", row.path},
          {"type", row.type},
          {"only", std::move(only)},
          {"required", row.required},
          {"when_left_out", row.fallback},
          {"meaning", row.doc}};
}

int print_json(const CommandLine& line, const std::vector<KeyRow>& rows) {
  json::array all;
  for (const KeyRow& row : rows) all.push_back(to_json(row));
  line.out() << json::serialize(json::object{{"keys", std::move(all)}}) << "\n";
  return exit_fine;
}

void print_key(const CommandLine& line, const KeyRow& row) {
  std::ostream& out = line.out();
  out << row.path;
  if (!row.only.empty()) out << "  (only " << joined(row.only) << ")";
  out << "\n  " << row.doc << "\n  value: " << row.type << "\n";
  if (row.required)
    out << "  required\n";
  else if (!row.fallback.empty())
    out << "  when left out: " << row.fallback << "\n";
  if (row.key == nullptr) return;
  for (const probes::Word& word : row.key->words) out << "  " << word.word << ": " << word.doc << "\n";
}

void print_list(const CommandLine& line, const std::vector<KeyRow>& rows) {
  Table table({"KEY", "ONLY", "VALUE", "WHEN LEFT OUT"});
  for (const KeyRow& row : rows)
    table.add({row.path, joined(row.only), row.type, row.required ? "required" : row.fallback});
  table.print(line.out());
}

void print_section(const CommandLine& line, const std::string& name) {
  for (const Section& section : sections()) {
    if (section.name != name) continue;
    line.out() << section.header << "  " << section.doc << "\n";
    for (const probes::Variety& variety : section.varieties) {
      if (!variety.later()) line.out() << "  " << variety.word << ": " << variety.doc << "\n";
    }
    line.out() << "\n";
  }
}

int tell_unknown(const CommandLine& line, const std::string& asked) {
  std::vector<std::string> known;
  for (const Section& section : sections()) known.emplace_back(section.name);
  for (const KeyRow& row : all_keys()) known.push_back(row.path);
  line.err() << "rollbackd help: there is no key or command \"" << asked << "\"" << did_you_mean(asked, known)
             << "\nnext: rollbackd help --reference\n";
  return exit_usage;
}

// Keys are often called without what they are a key of.
std::vector<KeyRow> rows_called(const std::string& name) {
  std::vector<KeyRow> out;
  for (KeyRow& row : all_keys()) {
    if (row.path.ends_with("." + name)) out.push_back(std::move(row));
  }
  return out;
}

// A word may be a command's, and a table's or key's of the configuration: the other ones are named.
void tell_namesakes(std::ostream& out, const std::string& name) {
  if (is_section(name))
    out << "\nA table of the configuration is called so, too: rollbackd help " << name
        << ".NAME; one of its keys: rollbackd help " << name << ".KEY\n";
  const std::vector<KeyRow> rows = rows_called(name);
  if (rows.empty()) return;
  out << "\nKeys of the configuration are called so, too:\n";
  for (const KeyRow& row : rows) out << "  rollbackd help " << row.path << "\n";
}

int help_of(const CommandLine& line, const std::string& asked) {
  for (const std::string& path : {asked, without_name(asked)}) {
    const std::vector<KeyRow> here = rows_at(path);
    const std::vector<KeyRow> below = rows_below(path);
    std::vector<KeyRow> all = here;
    all.insert(all.end(), below.begin(), below.end());
    if (all.empty()) continue;
    if (line.json()) return print_json(line, all);
    for (const KeyRow& row : here) print_key(line, row);
    print_section(line, path);
    if (!below.empty()) print_list(line, below);
    return exit_fine;
  }
  const std::vector<KeyRow> called = rows_called(asked);
  if (!called.empty()) {
    if (line.json()) return print_json(line, called);
    print_list(line, called);
    return exit_fine;
  }
  return tell_unknown(line, asked);
}

// "notify.NAME", as its header says, where "notify" alone is a command.
std::string without_header(const std::string& asked) {
  constexpr std::string_view any_name = ".NAME";
  const std::string name = asked.substr(0, asked.size() - std::min(any_name.size(), asked.size()));
  return asked.ends_with(any_name) && is_section(name) ? name : asked;
}

// The command that the words name; nullptr: none does.
const CLI::App* command_at(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* found = &app;
  for (const std::string& word : words) {
    found = command_named(*found, word);
    if (found == nullptr) return nullptr;
  }
  return found;
}

struct HelpOptions {
  std::vector<std::string> words;
  bool reference = false;
  bool completion = false;
};

int help(const CLI::App& app, const CommandLine& line, const HelpOptions& options) {
  if (options.completion) {
    line.out() << bash_completion(app);
    return exit_fine;
  }
  if (options.reference) {
    if (line.json()) return print_json(line, all_keys());
    line.out() << reference();
    return exit_fine;
  }
  if (const CLI::App* command = command_at(app, options.words)) {
    line.out() << command->help();
    if (options.words.size() == 1) tell_namesakes(line.out(), options.words.front());
    return exit_fine;
  }
  return help_of(line, without_header(options.words.front()));
}

}  // namespace

void add_help_command(CLI::App& app, CommandLine& line) {
  const auto options = std::make_shared<HelpOptions>();  // shared with the action, which outlives this function
  CLI::App* const command = line.add(app, "help",
                                     "what a command does, or what a key of the configuration means. Such as "
                                     "rollbackd help probe.interval, rollbackd help rule, rollbackd help check.",
                                     [&app, &line, options] { return help(app, line, *options); });
  command->add_option("COMMAND|KEY", options->words, "the command, the kind of table or the key");
  command->add_flag("--reference", options->reference, "print all keys as Markdown; with --json as JSON");
  command->add_flag("--completion", options->completion,
                    "print the words for bash: source <(rollbackd help --completion)");
}

}  // namespace watcher
