#include "watcher/drivers/asks_nobody.hpp"

namespace watcher {

namespace {

struct AsksNobody {
  bool operator()(std::monostate) const { return true; }
  bool operator()(const CommandDriver& driver) const { return driver.identify.empty() && driver.ready.empty(); }
  bool operator()(const auto&) const { return false; }
};

}  // namespace

bool asks_nobody(const DriverSection& section) { return std::visit(AsksNobody{}, section.driver); }

}  // namespace watcher
