#include "watcher/cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "rules/base/parse.hpp"
#include "rules/engine/titles.hpp"

namespace watcher {

namespace {

// Code points, which are as wide as cells for what is printed here.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

Table::Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }

void Table::add(std::vector<std::string> row) {
  row.resize(rows_.front().size());
  rows_.push_back(std::move(row));
}

void Table::print(std::ostream& out) const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << "\n";
  }
}

std::string short_revision(const std::string& revision) {
  constexpr std::size_t hash_shown = 12;
  if (revision.empty()) return "-";
  const bool hash = revision.size() >= 40 && revision.find_first_not_of("0123456789abcdef") == std::string::npos;
  return hash ? revision.substr(0, hash_shown) : revision;
}

std::string labelled_revision(const std::string& revision, const std::string& label) {
  if (revision.empty()) return "-";
  return label.empty() ? short_revision(revision) : rules::named(rules::Revision(revision), label);
}

std::string short_duration(double seconds) {
  if (seconds < 1 && seconds > 0) return fmt::format("{:.2g}s", seconds);
  return rules::to_string(rules::from_seconds(std::round(seconds)));
}

}  // namespace watcher
