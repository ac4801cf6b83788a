#include <boost/json.hpp>

#include "watcher/cli/command_line.hpp"
#include "watcher/cli/table.hpp"
#include "watcher/clock.hpp"
#include "watcher/config/findings.hpp"
#include "watcher/notify/fields.hpp"
#include "watcher/notify/notifiers.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

rules::Tell sample(const WatcherSection& watcher) {
  rules::Tell out;
  out.stage = rules::Stage::started;
  out.context.service = rules::ServiceName("test");
  out.context.incident = rules::IncidentId("test");
  out.context.rule = rules::RuleName("test");
  out.context.severity = rules::Severity::p3;
  out.title = "Test message of rollbackd on " + watcher.name;
  out.text = "Sent by `rollbackd notify test`. Nothing is wrong; nobody needs to do anything.";
  out.at = SystemClock().now();
  return out;
}

const NotifierSection* notifier_named(const CommandLine& line, const Config& config, const std::string& name) {
  std::vector<std::string> known;
  for (const NotifierSection& notifier : config.notifiers) {
    if (notifier.name.text == name) return &notifier;
    known.push_back(notifier.name.text);
  }
  line.err() << "rollbackd: there is no notifier " << name << did_you_mean(name, known) << one_of(known) << "\n";
  return nullptr;
}

int test_notifier(const CommandLine& line, const std::string& name) {
  const std::optional<Config> config = line.load();
  if (!config) return exit_no;
  const NotifierSection* const notifier = notifier_named(line, *config, name);
  if (notifier == nullptr) return exit_no;
  rules::Tell tell = sample(config->watcher);
  const std::string key = "test-" + std::to_string(tell.at.time_since_epoch().count());
  Delivery delivery = deliver(*notifier, render(tell, *notifier, config->watcher.name), {key, tell.at});
  // What a test began as an alert ends with it.
  if (delivery.delivered && is_alert(*notifier)) {
    tell.stage = rules::Stage::cleared;
    delivery = deliver(*notifier, render(tell, *notifier, config->watcher.name), {key + "-end", tell.at});
  }
  if (line.json()) {
    line.out() << json::serialize(
                      json::object{{"notifier", name}, {"delivered", delivery.delivered}, {"error", delivery.error}})
               << "\n";
  } else if (delivery.delivered) {
    line.out() << "delivered to " << name << "\n";
  } else {
    line.err() << "rollbackd: " << name << " was not told: " << delivery.error << "\n";
  }
  return delivery.delivered ? exit_fine : exit_no;
}

int list_fields(const CommandLine& line) {
  json::array fields;
  Table table({"FIELD", "IS"});
  for (const MessageField& field : message_fields()) {
    fields.push_back(json::object{{"field", field.name}, {"is", field.doc}});
    table.add({"{" + std::string(field.name) + "}", std::string(field.doc)});
  }
  if (line.json())
    line.out() << json::serialize(fields) << "\n";
  else
    table.print(line.out());
  return exit_fine;
}

}  // namespace

void add_notify_commands(CLI::App& app, CommandLine& line) {
  CLI::App* const notify = CommandLine::add_group(app, "notify", "telling people");
  const auto name = std::make_shared<std::string>();  // shared with the action, which outlives this function
  CLI::App* const test = line.add(*notify, "test", "send a test message through a notifier, from this process",
                                  [&line, name] { return test_notifier(line, *name); });
  line.add(*notify, "fields", "what a template may have in braces", [&line] { return list_fields(line); });
  test->add_option("NAME", *name, "the notifier, as in [notify.NAME]")->required();
}

}  // namespace watcher
