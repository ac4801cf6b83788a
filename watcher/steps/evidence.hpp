#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/names.hpp"
#include "watcher/drivers/driver.hpp"

namespace watcher {

inline constexpr std::int64_t evidence_file_max = 16 * 1024 * 1024;  // bytes of one captured output

// Whether a capture may write to that file: one plain name, so that nothing outside the evidence's folder is reached.
bool is_evidence_name(std::string_view file);

// INCIDENTS/ID/evidence.
std::string evidence_dir(const std::string& incidents_dir, const rules::IncidentId& incident);
// Makes it (0700) when it is not there. Returns what went wrong, for people.
std::optional<std::string> make_evidence_dir(const std::string& dir);

// Writes the file (0600), replacing what a former attempt left. What is read as a text, by its name or because it has
// no zero byte, is written as visible() has it: people open it in a terminal. Returns what went wrong, for people.
std::optional<std::string> write_evidence(const std::string& dir, const std::string& file, std::string_view content);

// Nothing that is only to be looked at keeps what has to be done waiting: what does not end in its time is told to end
// shortly before that is over, is killed then, and is not waited for, whatever hangs.
void bound_for_evidence(probes::ChildSpec& child, rules::Duration limit);

// Runs them side by side, with the evidence limit for all, and writes down what each printed, without the secrets, and
// how it ended where that was not well. Never throws for what they do; whoever calls it off has it return soon.
asio::awaitable<void> keep_evidence(std::vector<EvidenceCommand> commands, std::string dir,
                                    std::vector<std::string> secrets);

}  // namespace watcher
