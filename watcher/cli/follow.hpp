#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <set>
#include <string>

#include "rules/base/time.hpp"
#include "watcher/cli/command_line.hpp"

namespace watcher {

// Prints an incident while it goes on: each step once, what it waits for, the outcome. A step's line begins with the
// step and gets what became of it when it ends, so that nothing that was written has to be taken back in a pipe.
class Follower {
 public:
  explicit Follower(const CommandLine& line) : line_(line) {}

  // What the API says of the incident now; `since_last` is how long ago that was asked before.
  void look(const boost::json::value& incident, rules::Duration since_last);
  // The outcome, and where the report is. Returns the exit code that tells it; an incident that is still open is no.
  int end(const std::string& report);
  // To whoever waits, on a line of its own.
  void say(const std::string& what);
  const std::string& outcome() const { return outcome_; }

 private:
  void look_at_step(const boost::json::value& step);
  void begin_line(const boost::json::value& step, const std::string& key);
  void end_line();
  void look_at_phase(const boost::json::value& incident);

  const CommandLine& line_;
  std::string id_;
  std::string outcome_;
  std::string outcome_detail_;
  std::string section_;          // whose steps are printed
  std::string open_;             // the step whose line has no end yet
  rules::Duration open_for_{};   // how long it was seen to be
  std::set<std::string> ended_;  // steps that are printed whole
  std::string phase_;            // as it was printed last
  std::string progress_;         // how far it is
};

}  // namespace watcher
