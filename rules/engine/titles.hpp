#pragma once

#include <string>
#include <string_view>

#include "rules/incidents/records.hpp"

namespace rules {

// The line that people read first. `event` as in the incident's timeline, `text` what happened; `action` is the rung's
// name, `switches` whether it brings another revision. Revisions that are commits are shortened: full ones stand in
// the text below.
std::string title_of(const IncidentRecord& incident, std::string_view event, const std::string& text,
                     const std::string& action, bool switches);

// The comparison that made it bad, with its numbers: web_errors > 5%, it is 0.3 (125 of 416).
std::string evidence_of(const JoinedRule& joined);

// As people call it, with enough of its id to find it: "shop:v2 (ce4e63c4e0c9)"; without a label the revision.
std::string named(const Revision& revision, const std::string& label);

// Commits of 40 hexadecimal digits anywhere in the text, cut to the 12 that git shows.
std::string with_short_commits(std::string_view text);

}  // namespace rules
