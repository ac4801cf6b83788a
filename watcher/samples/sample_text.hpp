#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/base/poll.hpp"

namespace watcher {

// Polls as OpenMetrics text with timestamps, which `promtool tsdb create-blocks-from openmetrics` takes, and back.
// Each poll is a line rollbackd_poll{...} with its `up` (NaN when unknown), followed by a line a reading; probe and
// instance are labels of all of them.

// Appends the poll's lines.
void append_samples(std::string& out, const rules::Poll& poll);

// Reads what append_samples wrote. Lines that are not whole or not ours are skipped: a crash may have cut the last one.
std::vector<rules::Poll> read_samples(std::string_view text);

}  // namespace watcher
