#pragma once

#include <string>
#include <vector>

#include "rules/base/poll.hpp"
#include "rules/engine/events.hpp"
#include "rules/incidents/plan.hpp"

namespace watcher {

// The secret values that a step is given: its environment, address, headers and body.
std::vector<std::string> secrets_of(const rules::StepSpec& step);

// Every secret in the text becomes <redacted>: commands and servers repeat what they are given. Values shorter than 4
// bytes are left, as they would black out half of any output.
void redact(std::string& text, const std::vector<std::string>& secrets);

// The same of what people are told of a look at the outside: a probe's fault, why a revision could not be read or a
// service is not ready.
void redact(rules::Poll& poll, const std::vector<std::string>& secrets);
void redact(rules::Event& event, const std::vector<std::string>& secrets);

}  // namespace watcher
