#include "watcher/cli/print_plan.hpp"

#include <boost/json.hpp>
#include <optional>
#include <ostream>
#include <string>

#include "watcher/cli/command_line.hpp"
#include "watcher/cli/table.hpp"

namespace watcher {

namespace {

namespace json = boost::json;

const json::array& array_of(const json::value& plan, std::string_view key) {
  static const json::array none;
  const json::value* const found = plan.is_object() ? plan.get_object().if_contains(key) : nullptr;
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

std::optional<double> seconds_of(const json::value& value) {
  const json::value* const found = value.is_object() ? value.get_object().if_contains("usual_seconds") : nullptr;
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

std::string joined(const json::array& words) {
  std::string out;
  for (const json::value& word : words) out += (out.empty() ? "" : " and ") + std::string(word.as_string());
  return out;
}

void print_revisions(std::ostream& out, const json::value& plan) {
  const std::string from = text_of(plan, "from");
  const std::string to = text_of(plan, "to");
  out << "runs now   " << (from.empty() ? "not known" : from) << "\n";
  if (!to.empty()) out << "goes to    " << to << "\n";
  const std::string schema_from = text_of(plan, "schema_from");
  const std::string schema_to = text_of(plan, "schema_to");
  if (!to.empty() && schema_from != schema_to) {
    out << "schema     " << short_revision(schema_from) << " now, " << short_revision(schema_to) << " there\n";
  }
  if (const std::string backup = text_of(plan, "backup"); !backup.empty()) out << "backup     " << backup << "\n";
  const json::array& commits = array_of(plan, "commits");
  for (const json::value& commit : commits) {
    out << (&commit == &commits.front() ? "takes back " : "           ") << commit.as_string().c_str() << "\n";
  }
}

// Which of several drivers does it, and why not those before.
void print_drivers(std::ostream& out, const json::value& plan) {
  bool goes = false;
  for (const json::value& driver : array_of(plan, "drivers")) {
    const std::string why = text_of(driver, "not_ready");
    const std::string name = text_of(driver, "driver");
    if (why.empty()) {
      out << (goes ? "else by    " : "goes by    ") << name << "\n";
      goes = true;
    } else {
      out << "not by     " << name << ": " << why << "\n";
    }
  }
}

void print_steps(std::ostream& out, const json::value& plan) {
  std::string section;
  int number = 0;
  for (const json::value& step : array_of(plan, "steps")) {
    const std::string of = text_of(step, "section");
    if (of != section) {
      out << of << ":\n";
      number = 0;
    }
    section = of;
    out << "  " << ++number << ". " << text_of(step, "text");
    if (const auto usual = seconds_of(step)) out << "  (usually " << short_duration(*usual) << ")";
    out << "\n";
    const std::string lacks = text_of(step, "lacks");
    if (!lacks.empty()) out << "     " << lacks << "; name one with --backup\n";
  }
}

}  // namespace

bool loses_data(const json::value& plan) { return !array_of(plan, "loses").empty(); }

bool crosses_schema(const json::value& plan) {
  const std::string from = text_of(plan, "schema_from");
  const std::string to = text_of(plan, "schema_to");
  return !from.empty() && !to.empty() && from != to && !loses_data(plan);
}

void print_plan(std::ostream& out, const json::value& plan) {
  out << "action     " << text_of(plan, "action") << "\n";
  print_revisions(out, plan);
  if (loses_data(plan)) {
    out << "loses      it undoes " << joined(array_of(plan, "loses"))
        << ": what was written since is lost, unless the plan brings it back\n";
  } else {
    out << "loses      nothing: it undoes code alone"
        << (crosses_schema(plan) ? ", which runs with the schema of now then" : "") << "\n";
  }
  print_drivers(out, plan);
  const json::array& asks_for = array_of(plan, "asks_for");
  for (const json::value& line : asks_for)
    out << (&line == &asks_for.front() ? "sends      " : "           ") << line.as_string().c_str() << "\n";
  if (const std::string why = text_of(plan, "not_ready"); !why.empty()) out << "not ready  " << why << "\n";
  const auto total = seconds_of(plan);
  out << "takes      "
      << (total ? "usually " + short_duration(*total) + ", and then it is verified"
                : "not known: not every step of it has been done before")
      << "\n";
  print_steps(out, plan);
}

}  // namespace watcher
