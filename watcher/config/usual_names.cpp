#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <set>
#include <string>

#include "watcher/config/known_libraries.hpp"

namespace watcher {

namespace {

using rules::MatchKind;
using rules::Selector;

struct QuantileName {
  std::string_view word;
  double quantile;
};

constexpr std::array<QuantileName, 6> quantiles{
    {{"p50", 0.5}, {"p75", 0.75}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}}};

// What the outcome's label holds of a failed request, and of any.
struct Outcomes {
  std::string_view failed;
  std::string_view any;
};

// What is the server's fault: Unknown, DeadlineExceeded, Unimplemented, Internal, Unavailable, DataLoss. The libraries
// write them in three ways.
constexpr Outcomes grpc_codes{"(?i)(unknown|deadline_?exceeded|unimplemented|internal|unavailable|data_?loss)", ".+"};

Outcomes outcomes(Failed how) {
  switch (how) {
    case Failed::by_status:
      // The status, its class, or the hundreds alone; whatever else the label holds ("success", "total") is none.
      return {"5..|5", "[1-5]..|[1-5]"};
    case Failed::by_status_or_zero:
      return {"5..", "0|[1-5].."};
    case Failed::by_status_or_none:
      return {"-1|5..", "-1|[1-5].."};
    case Failed::by_class:
      return {"5", "[1-5]"};
    case Failed::by_status_text:
      return {
          "Internal Server Error|Not Implemented|Bad Gateway|Service Unavailable|Gateway Timeout|"
          "HTTP Version Not Supported|Variant Also Negotiates|Insufficient Storage|Loop Detected|Not Extended|"
          "Network Authentication Required",
          ".*"};
    case Failed::by_class_name:
      return {"server-error", ".+"};
    case Failed::by_word:
      return {"error", ".+"};
    case Failed::by_classification:
      return {"failure", ".+"};
    case Failed::by_grpc_code:
      return grpc_codes;
    case Failed::by_grpc_number:
      return {"2|4|12|13|14|15", ".+"};
    case Failed::by_own_counter:
      return {};
  }
  return {};
}

Selector selector_of(std::string_view text) {
  rules::Parsed<Selector> parsed = rules::parse_selector(text);
  assert(std::holds_alternative<Selector>(parsed));
  return std::get<Selector>(std::move(parsed));
}

void narrow(Selector& selector, std::string_view label, MatchKind kind, std::string_view value) {
  rules::Parsed<rules::Matcher> matcher = rules::Matcher::make(std::string(label), kind, std::string(value));
  assert(std::holds_alternative<rules::Matcher>(matcher));
  selector.matchers.push_back(std::get<rules::Matcher>(std::move(matcher)));
}

// RE2 of the paths; frameworks write routes with or without the slashes at their ends.
std::string pattern_of(const std::vector<std::string>& paths) {
  std::string out;
  for (const std::string& path : paths) {
    out += out.empty() ? "/?(" : "|";
    for (const char c : path.substr(1)) {
      if (std::string_view(R"(\.+*?()|[]{}^$)").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out + ")/?";
}

// The same names with other labels for the path are one candidate.
using Labels = std::vector<std::string_view>;

void add_labels(Labels& labels, std::string_view words) {
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(' '));
    if (std::find(labels.begin(), labels.end(), word) == labels.end()) labels.push_back(word);
    words.remove_prefix(std::min(words.size(), word.size() + 1));
  }
}

void leave_out(Selector& selector, const Labels& labels, const std::vector<std::string>& own_paths) {
  if (own_paths.empty()) return;
  for (const std::string_view label : labels) narrow(selector, label, MatchKind::not_regex, pattern_of(own_paths));
}

rules::RatioOf ratio_of(const KnownLibrary& library, const Labels& paths, const std::vector<std::string>& own_paths) {
  rules::RatioOf out;
  out.rank = library.counts_rank;
  out.denominator = selector_of(library.counts);
  if (library.failed == Failed::by_own_counter) {
    out.numerator = selector_of(library.label);
  } else {
    out.numerator = out.denominator;
    narrow(out.numerator, library.label, MatchKind::regex, outcomes(library.failed).failed);
    narrow(out.denominator, library.label, MatchKind::regex, outcomes(library.failed).any);
  }
  leave_out(out.numerator, paths, own_paths);
  leave_out(out.denominator, paths, own_paths);
  return out;
}

// Which libraries stand for a candidate of their own: the first of each name.
struct Candidate {
  KnownLibrary known;
  Labels paths;
};

template <class Key>
std::vector<Candidate> candidates(const Key& key_of) {
  std::vector<Candidate> out;
  std::map<std::string, std::size_t> known;
  for (const KnownLibrary& library : known_libraries()) {
    const std::string key = key_of(library);
    if (key.empty()) continue;
    const auto [at, added] = known.emplace(key, out.size());
    if (added) out.push_back({library, {}});
    add_labels(out[at->second].paths, library.paths);
  }
  return out;
}

}  // namespace

std::optional<double> quantile_named(std::string_view word) {
  for (const QuantileName& known : quantiles) {
    if (known.word == word) return known.quantile;
  }
  return std::nullopt;
}

std::vector<rules::RatioOf> usual_error_ratios(const std::vector<std::string>& own_paths) {
  std::vector<rules::RatioOf> out;
  const auto key = [](const KnownLibrary& library) {
    return library.counts.empty() ? "" : std::string(library.counts) + " " + std::string(library.label);
  };
  for (const Candidate& one : candidates(key)) out.push_back(ratio_of(one.known, one.paths, own_paths));
  return out;
}

std::vector<rules::QuantileOf> usual_durations(double quantile, const std::vector<std::string>& own_paths) {
  std::vector<rules::QuantileOf> out;
  for (const Candidate& one : candidates([](const KnownLibrary& library) { return std::string(library.times); })) {
    rules::QuantileOf of{quantile, selector_of(one.known.times), std::nullopt, one.known.times_rank};
    if (one.known.unit != rules::Unit::seconds) of.unit = one.known.unit;
    leave_out(of.family, one.paths, own_paths);
    out.push_back(std::move(of));
  }
  return out;
}

}  // namespace watcher
