#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "watcher/config/config.hpp"

namespace watcher {

// A run of a workflow, as the CI tells of it.
struct HttpRun {
  std::string json;
  std::string link;   // for people; may be empty
  std::string state;  // the values by which it was judged: "status completed, conclusion failure"
  bool done = false;
  bool succeeded = false;  // and done

  friend bool operator==(const HttpRun&, const HttpRun&) = default;
};

// The run that the id was given to, in the body of the list of runs.
struct FoundRun {
  std::string error;           // for people: the body is no such list
  std::optional<HttpRun> run;  // none: it is not in it
};
FoundRun find_run(const HttpWorkflow& config, std::string_view body, const std::string& id);

}  // namespace watcher
