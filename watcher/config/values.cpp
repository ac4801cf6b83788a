#include "watcher/config/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "probes/parse/names.hpp"

namespace watcher {

namespace {

struct SizeUnit {
  std::string_view name;
  std::int64_t bytes;
};

constexpr std::array<SizeUnit, 4> size_units{{{"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}, {"B", 1}}};

}  // namespace

std::optional<std::int64_t> parse_size(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc() || number < 0) return std::nullopt;
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  for (const SizeUnit& known : size_units) {
    if (known.name != unit) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / known.bytes) return std::nullopt;
    return number * known.bytes;
  }
  return std::nullopt;
}

std::string size_text(std::int64_t bytes) {
  for (const SizeUnit& unit : size_units) {
    if (bytes != 0 && bytes % unit.bytes == 0) return std::to_string(bytes / unit.bytes) + std::string(unit.name);
  }
  return "0B";
}

std::optional<double> parse_share(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (failure != std::errc() || std::string_view(rest, static_cast<std::size_t>(end - rest)) != "%") {
    return std::nullopt;
  }
  return number / 100;
}

std::string exact_number(double value) {
  std::array<char, 64> buffer{};
  const auto [end, failure] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return failure == std::errc() ? std::string(buffer.data(), end) : std::string("nan");
}

bool is_measurement_name(std::string_view name) { return probes::is_field_name(name); }
bool is_plan_name(std::string_view name) {
  std::string without_dash(name);
  std::replace(without_dash.begin() + (name.empty() ? 0 : 1), without_dash.end(), '-', '_');
  return probes::is_field_name(without_dash);
}

}  // namespace watcher
