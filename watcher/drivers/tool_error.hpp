#pragma once

#include <string>
#include <string_view>

#include "probes/net/child.hpp"
#include "rules/incidents/records.hpp"

namespace watcher {

// Why a command of a driver's tool (Docker, Compose, kubectl) failed: for people, with what to do where that is known.
struct ToolError {
  std::string what;
  rules::StepStatus status = rules::StepStatus::failed;
};

// How the child ended, after `asked`, which names the tool and what it was asked; `look` is what may be the reason when
// it took too long.
ToolError tool_error(std::string asked, std::string_view look, const probes::ChildSpec& spec,
                     const probes::ChildResult& child);

// What the tool said last, or why it was not started: by that it is known what to do.
std::string_view last_words(const probes::ChildResult& child);

}  // namespace watcher
