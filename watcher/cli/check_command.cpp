#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "rules/base/passwords.hpp"
#include "watcher/cli/assumed_places.hpp"
#include "watcher/cli/check_online.hpp"
#include "watcher/cli/command_line.hpp"
#include "watcher/cli/own_stops.hpp"
#include "watcher/journal/state_dir_trust.hpp"
#include "watcher/notify/curl_library.hpp"
#include "watcher/runner/account.hpp"
#include "watcher/serve/doors.hpp"
#include "watcher/steps/redact.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

struct CheckArguments {
  bool online = false;
  bool expand = false;
  bool strict = false;
  bool secrets = false;
};

std::string_view word_of(OnlineFinding::Kind kind) {
  switch (kind) {
    case OnlineFinding::Kind::fine:
      return "fine";
    case OnlineFinding::Kind::advice:
      return "advice";
    case OnlineFinding::Kind::wrong:
      return "wrong";
  }
  return "";
}

std::string_view word_of(Level level) {
  switch (level) {
    case Level::error:
      return "error";
    case Level::warning:
      return "warning";
  }
  return "";
}

bool is_valid(const Loaded& loaded, bool strict) { return loaded.config && (!strict || loaded.findings.empty()); }

bool is_wrong(const std::vector<OnlineFinding>& online, bool strict) {
  return std::any_of(online.begin(), online.end(), [&](const OnlineFinding& finding) {
    return finding.kind == OnlineFinding::Kind::wrong || (strict && finding.kind == OnlineFinding::Kind::advice);
  });
}

// What a command is given stands in its words as it is, and addresses there may have passwords. Quotes in a secret are
// written as JSON writes them.
std::string expanded_text(const Config& config, Secrets secrets) {
  std::string text = expand(config);
  if (secrets == Secrets::shown) return text;
  std::vector<std::string> hidden = config.secrets;
  for (const std::string& secret : config.secrets) {
    const std::string quoted = json::serialize(json::value(secret));
    hidden.push_back(quoted.substr(1, quoted.size() - 2));
  }
  redact(text, hidden);
  return rules::without_passwords(text);
}

// Secrets of the file are its owner's to see.
bool may_see_secrets(const std::string& path) {
  struct stat found {};
  return geteuid() == 0 || (stat(path.c_str(), &found) == 0 && found.st_uid == geteuid());
}

void advise_on_secrets(std::ostream& out, const Config& config) {
  if (config.literal_secrets.empty()) return;
  out << "advice: secrets stand in the file itself, and are <redacted> here:";
  const char* separator = " ";
  for (const std::string& owner : config.literal_secrets) out << std::exchange(separator, ", ") << owner;
  out << "; write each into a file of its own and { file = \"PATH\" } in its place; --secrets shows them to the owner "
         "of the file\n";
}

// What is told of a configuration besides its mistakes.
struct Looks {
  std::vector<OnlineFinding> as_whom;
  std::vector<OnlineFinding> online;
};

// `run` does not start without it, and only then would that be known.
void look_for_curl(const Config& config, Looks& looks) {
  if (config.notifiers.empty() || !curl_library().problem) return;
  looks.as_whom.push_back({OnlineFinding::Kind::wrong, "notify", *curl_library().problem});
}

// Nor with such a state_dir.
void look_at_state_dir(const Config& config, Looks& looks) {
  std::string why = why_not_state_dir(config.watcher.state_dir);
  if (!why.empty()) looks.as_whom.push_back({OnlineFinding::Kind::wrong, "watcher", std::move(why)});
}
void look_at_control(const Config& config, Looks& looks) {
  if (config.watcher.control.empty()) return;
  std::string why = why_not_control(config.watcher.control);
  if (!why.empty()) looks.as_whom.push_back({OnlineFinding::Kind::wrong, "watcher", std::move(why)});
}

// What is the watcher's own is looked at as its user, who with a runner is not the one that commands run as.
void look_at_places(const Config& config, Looks& looks) {
  const WatcherSection& watcher = config.watcher;
  const std::optional<Account> account = watcher.runner.empty() ? std::nullopt : account_named(watcher.runner_user);
  if (!watcher.runner.empty() && !account) {
    looks.as_whom.push_back({OnlineFinding::Kind::wrong, "watcher",
                             "runner_user: there is no user " + watcher.runner_user +
                                 " on this host; create it, or name whom the watcher runs as"});
  } else if (account && account->user != ::geteuid()) {
    looks.as_whom.push_back({OnlineFinding::Kind::advice, "watcher",
                             "state_dir and control are looked at by whom it runs as: do runuser -u " +
                                 watcher.runner_user + " -- rollbackd check"});
  } else {
    look_at_state_dir(config, looks);
    look_at_control(config, looks);
  }
}

json::array to_json(const std::vector<OnlineFinding>& findings) {
  json::array out;
  for (const OnlineFinding& look : findings) {
    out.push_back(json::object{{"kind", word_of(look.kind)}, {"subject", look.subject}, {"text", look.text}});
  }
  return out;
}

void tell(std::ostream& out, const std::vector<OnlineFinding>& findings) {
  for (const OnlineFinding& look : findings) {
    out << word_of(look.kind) << ": " << look.subject << ": " << look.text << "\n";
  }
}

void print_json(const CommandLine& line, const Loaded& loaded, const Looks& looks, bool valid, bool expanded,
                Secrets secrets) {
  json::array findings;
  for (const Finding& finding : loaded.findings) {
    findings.push_back(json::object{
        {"level", word_of(finding.level)}, {"line", finding.line}, {"column", finding.column}, {"what", finding.what}});
  }
  json::object out{{"path", line.config_path()}, {"valid", valid}};
  out["findings"] = std::move(findings);
  out["runs_as"] = to_json(looks.as_whom);
  out["online"] = to_json(looks.online);
  if (expanded && loaded.config) {
    out["expanded"] = expanded_text(*loaded.config, secrets);
    out["masked"] = json::array(loaded.config->literal_secrets.begin(), loaded.config->literal_secrets.end());
  }
  line.out() << json::serialize(out) << "\n";
}

std::string counted(std::size_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

// As a shell takes it.
std::string quoted(const std::string& path) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+,@").find(c) != std::string_view::npos;
  };
  if (!path.empty() && std::all_of(path.begin(), path.end(), is_plain)) return path;
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

void print_summary(const CommandLine& line, const Config& config) {
  line.out() << line.config_path() << ": fine: " << counted(config.probes.size(), "probe") << ", "
             << counted(config.core.signals.size(), "signal") << ", " << counted(config.core.rules.size(), "rule")
             << ", " << counted(config.core.services.size(), "service") << ", "
             << counted(config.core.actions.size(), "action") << ", " << counted(config.notifiers.size(), "notifier")
             << "\n";
}

void print_text(const CommandLine& line, const Loaded& loaded, const Looks& looks, const CheckArguments& arguments) {
  for (const Finding& finding : loaded.findings) {
    line.err() << format_finding(line.config_path(), finding) << "\n";
  }
  if (!loaded.config) return;
  if (arguments.expand) {
    line.out() << expanded_text(*loaded.config, arguments.secrets ? Secrets::shown : Secrets::hidden);
    advise_on_secrets(line.err(), *loaded.config);
  }
  const bool summed_up = is_valid(loaded, arguments.strict) && !arguments.expand;
  if (summed_up) print_summary(line, *loaded.config);
  // What was expanded is a configuration that somebody may want to keep: nothing else goes there.
  std::ostream& told = arguments.expand ? line.err() : line.out();
  if (arguments.online || !arguments.expand) tell(told, looks.as_whom);
  tell(told, looks.online);
  if (arguments.online || arguments.expand) return;
  line.out() << "next: rollbackd check --online --config " << quoted(line.config_path())
             << " asks the probes and drivers once, changing nothing\n";
}

int check(const CommandLine& line, const CheckArguments& arguments) {
  if (arguments.secrets && !line.is_missing() && !may_see_secrets(line.config_path())) {
    line.err() << "rollbackd: the secrets in " << line.config_path() << " are shown to its owner and to root alone\n";
    return exit_no;
  }
  const Secrets secrets = arguments.secrets ? Secrets::shown : Secrets::hidden;
  const Loaded loaded = load_config(line.config_path(), secrets);
  if (!loaded.config) line.note_missing();
  Looks looks;
  if (loaded.config) {
    looks.as_whom = as_whom(*loaded.config);
    for (OnlineFinding& finding : blind_identities(*loaded.config)) looks.as_whom.push_back(std::move(finding));
    for (OnlineFinding& finding : unjudged_services(*loaded.config)) looks.as_whom.push_back(std::move(finding));
    for (OnlineFinding& finding : pm2_of_others(*loaded.config)) looks.as_whom.push_back(std::move(finding));
    for (OnlineFinding& finding : stops_of_ourselves(*loaded.config)) looks.as_whom.push_back(std::move(finding));
    for (OnlineFinding& finding : assumed_places(*loaded.config)) looks.as_whom.push_back(std::move(finding));
    for (OnlineFinding& finding : needed_backups(*loaded.config)) looks.as_whom.push_back(std::move(finding));
    for (OnlineFinding& finding : unreached_rungs(*loaded.config)) looks.as_whom.push_back(std::move(finding));
  }
  if (arguments.online && loaded.config) looks.online = check_online(*loaded.config);
  if (loaded.config) {
    look_for_curl(*loaded.config, looks);
    look_at_places(*loaded.config, looks);
  }
  const bool valid = is_valid(loaded, arguments.strict);
  if (line.json())
    print_json(line, loaded, looks, valid, arguments.expand, secrets);
  else
    print_text(line, loaded, looks, arguments);
  return valid && !is_wrong(looks.as_whom, arguments.strict) && !is_wrong(looks.online, arguments.strict) ? exit_fine
                                                                                                          : exit_no;
}

}  // namespace

void add_check_command(CLI::App& app, CommandLine& line) {
  const auto arguments = std::make_shared<CheckArguments>();  // shared with the action, which outlives this function
  CLI::App* const command = line.add(app, "check", "check the configuration: every mistake at once, with its place",
                                     [&line, arguments] { return check(line, *arguments); });
  command->add_flag("--online", arguments->online,
                    "also poll every probe once, ask every driver what runs and whether it could switch, look for "
                    "every command; changes nothing");
  command->add_flag("--expand", arguments->expand, "print the configuration with everything implied written out");
  command->add_flag("--secrets", arguments->secrets,
                    "with --expand: also the secrets that stand in the file, for its owner and root");
  command->add_flag("--strict", arguments->strict, "warnings and advice count as errors");
}

}  // namespace watcher
