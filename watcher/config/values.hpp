#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watcher {

// `1MiB`, `512KiB`, `2GiB`, `100B`, in bytes; nullopt when it is not a size.
std::optional<std::int64_t> parse_size(std::string_view text);
// The shortest text that parse_size reads back as the same value.
std::string size_text(std::int64_t bytes);

// `90%` or `99.5%` as a fraction; nullopt when it is not a share.
std::optional<double> parse_share(std::string_view text);

// The shortest text that reads back as the same number.
std::string exact_number(double value);

// Names of probes and signals: [a-z_][a-z0-9_]*.
bool is_measurement_name(std::string_view name);
// Names of rules, services, actions, notifiers: also with '-'.
bool is_plan_name(std::string_view name);

}  // namespace watcher
