#pragma once

#include <boost/json/object.hpp>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/names.hpp"
#include "rules/base/time.hpp"
#include "watcher/config/config.hpp"

namespace watcher {

// The members of a request's body, read strictly: every mistake is noted, and a request with mistakes is not answered.
class Fields {
 public:
  // Members that are not among `known` are mistakes.
  Fields(boost::json::object body, std::initializer_list<std::string_view> known, const Config& config);

  // "" when absent.
  std::string text(std::string_view key);
  // false when absent.
  bool flag(std::string_view key);
  // Absent only when it is a mistake: it must be there and positive.
  std::optional<rules::Duration> duration(std::string_view key, rules::Duration most);
  // None when absent. Must be a revision that may be put into a command.
  std::optional<rules::Revision> revision(std::string_view key);
  // None when absent. Must be configured.
  std::optional<rules::ServiceName> service();
  // The only service when absent; with several, one must be named.
  rules::ServiceName one_service();
  // Those that are named by `service` or `services`; all when none is.
  std::vector<rules::ServiceName> services();
  std::optional<rules::ActionName> action();

  void mistake(std::string what) { mistakes_.push_back(std::move(what)); }
  // All mistakes; empty when there are none.
  std::string mistakes() const;

 private:
  const boost::json::value* find(std::string_view key) const;
  void must_be_known(const rules::ServiceName& name);

  boost::json::object body_;
  const Config& config_;
  std::vector<std::string> mistakes_;
};

}  // namespace watcher
