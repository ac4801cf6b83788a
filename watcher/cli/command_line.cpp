#include "watcher/cli/command_line.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>

#include "rules/base/names.hpp"
#include "rules/base/parse.hpp"
#include "watcher/config/findings.hpp"
#include "watcher/runner/account.hpp"
#include "watcher/serve/client.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

bool is_denied(const std::string& socket) {
  return ::faccessat(AT_FDCWD, socket.c_str(), W_OK, AT_EACCESS) != 0 && errno == EACCES;
}

}  // namespace

CLI::App* CommandLine::add(CLI::App& parent, const std::string& name, const std::string& description,
                           std::function<int()> action) {
  const std::size_t sentence = std::min(description.find(". "), description.size());
  CLI::App* const command = parent.add_subcommand(name, description.substr(0, sentence));
  if (sentence < description.size()) command->footer(description.substr(sentence + 2));
  add_shared_options(*command);
  command->callback([this, act = std::move(action)] { chosen_ = act; });
  return command;
}

void CommandLine::add_shared_options(CLI::App& app) {
  app.add_option("--config", config_path_, "the configuration file")->type_name("FILE")->capture_default_str();
  app.add_flag("--json", json_, "print JSON instead of text");
}

CLI::App* CommandLine::add_group(CLI::App& parent, const std::string& name, const std::string& description) {
  CLI::App* const group = parent.add_subcommand(name, description);
  group->require_subcommand(1);
  return group;
}

int CommandLine::perform() const {
  if (!chosen_) return exit_usage;
  const int exit_code = chosen_();
  return was_missing_ ? exit_usage : exit_code;
}

bool CommandLine::is_missing() const {
  std::error_code ignored;
  return std::filesystem::status(config_path_, ignored).type() == std::filesystem::file_type::not_found;
}

void CommandLine::note_missing() const { was_missing_ = was_missing_ || is_missing(); }

std::optional<Config> CommandLine::load() const {
  Loaded loaded = load_config(config_path_);
  if (!loaded.config) note_missing();
  for (const Finding& finding : loaded.findings) err() << format_finding(config_path_, finding) << "\n";
  return std::move(loaded.config);
}

std::optional<WatcherSection> CommandLine::reach() const {
  LoadedWatcher loaded = load_watcher_section(config_path_);
  if (loaded.watcher) return std::move(loaded.watcher);
  note_missing();
  for (const Finding& finding : loaded.findings) err() << format_finding(config_path_, finding) << "\n";
  return std::nullopt;
}

Asked read_reply(const CommandLine& line, const ApiReply& reply) {
  Asked out;
  out.text = reply.body;
  json::error_code failure;
  out.body = json::parse(reply.body, failure);
  if (reply.status < 400) return out;
  out.exit_code = exit_no;
  if (line.json())
    line.out() << reply.body << "\n";
  else
    line.err() << "rollbackd: " << problem_detail(reply) << "\n";
  return out;
}

Asked ask(const CommandLine& line, const std::string& method, const std::string& target, const json::object& body) {
  Asked failed;
  failed.exit_code = exit_no;
  const std::optional<WatcherSection> watcher = line.reach();
  if (!watcher) return failed;
  ApiRequest request;
  request.method = method;
  request.target = target;
  if (method == "POST") request.body = json::serialize(body);
  const std::variant<ApiReply, std::string> answer = line.terminal().call(watcher->control, request);
  if (const auto* reply = std::get_if<ApiReply>(&answer)) return read_reply(line, *reply);
  failed.exit_code = exit_no_watcher;
  failed.why = std::get<std::string>(answer);
  // Doing without a watcher that runs would be wrong: two would act.
  failed.no_watcher = !is_denied(watcher->control);
  if (!failed.no_watcher) tell_no_watcher(line, failed.why);
  return failed;
}

Asked ask_or_tell(const CommandLine& line, const std::string& method, const std::string& target,
                  const json::object& body) {
  Asked asked = ask(line, method, target, body);
  if (asked.no_watcher) tell_no_watcher(line, asked.why);
  return asked;
}

int request(const CommandLine& line, const std::string& target, const json::object& body) {
  return print_answer(line, ask_or_tell(line, "POST", target, body));
}

int print_answer(const CommandLine& line, const Asked& asked) {
  if (asked.exit_code != exit_fine) return asked.exit_code;
  if (line.json())
    line.out() << asked.text << "\n";
  else
    line.out() << text_of(asked.body, "text") << "\n";
  return exit_fine;
}

void tell_no_watcher(const CommandLine& line, const std::string& why) { line.err() << "rollbackd: " << why << "\n"; }

std::string url_encoded(const std::string& text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += hex[byte >> 4U];
    out += hex[byte & 15U];
  }
  return out;
}

std::string text_of(const json::value& object, std::string_view key) {
  if (!object.is_object()) return {};
  const json::value* const found = object.get_object().if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::string one_of(const std::vector<std::string>& names) {
  if (names.empty()) return " (none is defined)";
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? " (one of " : ", ") + name;
  return out + ")";
}

std::optional<rules::ServiceName> service_meant(const CommandLine& line, const Config& config,
                                                const std::string& named) {
  const std::vector<rules::ServiceSpec>& services = config.core.services;
  if (named.empty() && services.size() == 1) return services.front().name;
  std::vector<std::string> known;
  for (const rules::ServiceSpec& service : services) {
    if (service.name.text == named) return service.name;
    known.push_back(service.name.text);
  }
  const std::string what =
      named.empty() ? "say which service is meant" : "there is no service " + named + did_you_mean(named, known);
  line.err() << "rollbackd: " << what << one_of(known) << "\n";
  return std::nullopt;
}

bool is_watchers_user(const CommandLine& line, const WatcherSection& watcher) {
  if (watcher.runner.empty()) return true;
  const std::optional<std::string> trouble = become(watcher.runner_user);
  if (trouble) line.err() << "rollbackd: " << *trouble << "\n";
  return !trouble;
}

std::string check_duration(const std::string& text) {
  const rules::Parsed<rules::Duration> parsed = rules::parse_duration(text);
  const auto* const mistake = std::get_if<rules::SyntaxError>(&parsed);
  return mistake == nullptr ? std::string() : mistake->what;
}

CLI::Validator revision_word() {
  const auto take = [](std::string& text) -> std::string {
    // As status, messages and reports print what has a label: "v1.2.0 (7419b344be89)".
    const std::size_t open = text.rfind(" (");
    if (open != std::string::npos && text.ends_with(')')) text = text.substr(open + 2, text.size() - open - 3);
    if (rules::is_safe_in_argv(rules::Revision(text))) return {};
    return "a revision is letters, digits and ._:/@- after a letter or digit, at most 200 of them";
  };
  return {take, "", "revision"};
}

}  // namespace watcher
