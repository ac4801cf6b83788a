#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rules/base/time.hpp"
#include "rules/engine/commands.hpp"

namespace rules {

// What is decided at one moment: the time, and the commands that follow from it, in their order. Every room of the
// engine speaks to the outside through this one sink, and none has another time than its own.
class Effects {
 public:
  explicit Effects(Instant now) : now_(now) {}

  Instant now() const { return now_; }
  // For the engine alone, which owns the order of time. Never back.
  void go_to(Instant now);

  void emit(Command command) { commands_.push_back(std::move(command)); }
  void save(Record record) { emit(Save{std::move(record)}); }
  // A line for the log.
  void note(std::string event, std::vector<std::pair<std::string, std::string>> fields = {});
  // Tells every notifier of something that is no incident's: a fault of a measuring path, our own trouble.
  void tell_fault(std::string title, std::string text, const ServiceName& service = {},
                  Severity severity = Severity::p1, Lasting lasting = {});

  bool empty() const { return commands_.empty(); }
  std::vector<Command> take() { return std::exchange(commands_, {}); }

 private:
  Instant now_;
  std::vector<Command> commands_;
};

}  // namespace rules
