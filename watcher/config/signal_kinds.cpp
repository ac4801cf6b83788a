#include "watcher/config/signal_kinds.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "watcher/config/toml_text.hpp"

namespace watcher {

namespace {

using probes::Key;
using rules::SignalSpec;

constexpr std::int64_t rank_most = 100;

// What stands beside the selectors of one candidate of several.
struct Beside {
  std::optional<rules::Unit> unit;
  int rank = 0;
};

constexpr std::array<std::pair<std::string_view, rules::Unit>, 4> unit_words{{{"s", rules::Unit::seconds},
                                                                              {"ms", rules::Unit::milliseconds},
                                                                              {"us", rules::Unit::microseconds},
                                                                              {"none", rules::Unit::none}}};

std::string_view word_of(rules::Unit unit) {
  return std::find_if(unit_words.begin(), unit_words.end(), [unit](const auto& known) { return known.second == unit; })
      ->first;
}

std::optional<rules::Unit> unit_named(const toml::node& node) {
  const auto* const text = node.as_string();
  const auto* const known = std::find_if(unit_words.begin(), unit_words.end(), [text](const auto& one) {
    return text != nullptr && one.first == text->get();
  });
  return known == unit_words.end() ? std::nullopt : std::optional(known->second);
}

// The candidate's keys besides those that name its selectors.
Beside read_beside(TableReader& reader, std::string_view key, const toml::table& table,
                   const std::vector<std::string_view>& selectors, bool with_unit) {
  Beside out;
  Findings& findings = reader.loading().findings;
  for (const auto& [name, node] : table) {
    const std::string owner = reader.owner(key) + "." + std::string(name.str());
    if (std::find(selectors.begin(), selectors.end(), name.str()) != selectors.end()) continue;
    if (name.str() == "rank") {
      const auto* const rank = node.as_integer();
      if (rank != nullptr && std::abs(rank->get()) <= rank_most)
        out.rank = static_cast<int>(rank->get());
      else
        findings.error(place_of(node), owner + ": expected a whole number such as 1");
    } else if (name.str() == "unit" && with_unit) {
      out.unit = unit_named(node);
      if (!out.unit) findings.error(place_of(node), owner + ": expected \"s\", \"ms\", \"us\" or \"none\"");
    } else {
      findings.error(place_of(node), owner + ": there is no such key; a candidate has " +
                                         std::string(with_unit ? "of, unit and rank" : "errors, all and rank"));
    }
  }
  return out;
}

std::optional<rules::Selector> read_selector(TableReader& reader, std::string_view key, const toml::node& node) {
  Loading& loading = reader.loading();
  const auto* const text = node.as_string();
  if (text == nullptr) {
    loading.findings.error(place_of(node),
                           reader.owner(key) +
                               ": expected a selector such as 'http_requests_total{code=~\"5..\"}', found " +
                               std::string(type_name(node)));
    return std::nullopt;
  }
  rules::Parsed<rules::Selector> parsed = rules::parse_selector(text->get());
  if (const auto* mistake = std::get_if<rules::SyntaxError>(&parsed)) {
    loading.findings.error(loading.source.inside_string(place_of(node), mistake->offset),
                           reader.owner(key) + ": " + mistake->what);
    return std::nullopt;
  }
  return std::get<rules::Selector>(std::move(parsed));
}

std::optional<rules::RatioOf> read_pair(TableReader& reader, const toml::array& pair) {
  if (pair.size() != 2) {
    reader.loading().findings.error(
        place_of(pair),
        reader.owner("ratio") + ": expected two selectors, ['ERRORS', 'ALL'], found " + std::to_string(pair.size()));
    return std::nullopt;
  }
  std::optional<rules::Selector> numerator = read_selector(reader, "ratio", pair[0]);
  std::optional<rules::Selector> denominator = read_selector(reader, "ratio", pair[1]);
  if (!numerator || !denominator) return std::nullopt;
  return rules::RatioOf{*std::move(numerator), *std::move(denominator)};
}

// { errors = 'ERRORS', all = 'ALL', rank = 1 }
std::optional<rules::RatioOf> read_pair(TableReader& reader, const toml::table& table) {
  const Beside beside = read_beside(reader, "ratio", table, {"errors", "all"}, false);
  const toml::node* const errors = table.get("errors");
  const toml::node* const all = table.get("all");
  if (errors == nullptr || all == nullptr) {
    reader.loading().findings.error(place_of(table),
                                    reader.owner("ratio") + ": expected { errors = '...', all = '...' }");
    return std::nullopt;
  }
  std::optional<rules::Selector> numerator = read_selector(reader, "ratio", *errors);
  std::optional<rules::Selector> denominator = read_selector(reader, "ratio", *all);
  if (!numerator || !denominator) return std::nullopt;
  return rules::RatioOf{*std::move(numerator), *std::move(denominator), beside.rank};
}

// One pair, or several of which one that is in the page is taken.
std::vector<rules::RatioOf> read_ratio(TableReader& reader) {
  std::vector<rules::RatioOf> out;
  const toml::array* const array = reader.node("ratio")->as_array();
  if (array == nullptr || array->empty()) {
    reader.error("ratio", "expected two selectors, ['ERRORS', 'ALL']");
    return out;
  }
  const bool several = array->front().is_array() || array->front().is_table();
  if (!several) {
    if (auto pair = read_pair(reader, *array)) out.push_back(*std::move(pair));
    return out;
  }
  for (const toml::node& candidate : *array) {
    const toml::array* const pair = candidate.as_array();
    const toml::table* const table = candidate.as_table();
    if (pair == nullptr && table == nullptr) {
      reader.error("ratio", "expected only pairs of selectors");
      continue;
    }
    if (auto one = pair != nullptr ? read_pair(reader, *pair) : read_pair(reader, *table))
      out.push_back(*std::move(one));
  }
  return out;
}

// Whether it is said once what kind of signal it is to be.
bool is_clear(const TableReader& reader) {
  return int{reader.has("ratio")} + int{reader.has("quantile")} + int{reader.has("expr")} == 1;
}

void read_ratio(TableReader& reader, const Key& key, void* object) {
  if (is_clear(reader) && reader.has(key.name)) static_cast<SignalSpec*>(object)->of = read_ratio(reader);
}

// 'SELECTOR', or { of = 'SELECTOR', unit = "ms", rank = 1 }
std::optional<rules::QuantileOf> read_family(TableReader& reader, double quantile, const toml::node& node) {
  const toml::table* const table = node.as_table();
  const Beside beside = table == nullptr ? Beside() : read_beside(reader, "of", *table, {"of"}, true);
  const toml::node* const family = table == nullptr ? &node : table->get("of");
  if (family == nullptr) {
    reader.loading().findings.error(place_of(node), reader.owner("of") + ": expected { of = '...', unit = \"ms\" }");
    return std::nullopt;
  }
  std::optional<rules::Selector> selector = read_selector(reader, "of", *family);
  if (!selector) return std::nullopt;
  return rules::QuantileOf{quantile, *std::move(selector), beside.unit, beside.rank};
}

void read_quantile(TableReader& reader, const Key& key, void* object) {
  if (!is_clear(reader) || !reader.has(key.name)) return;
  std::vector<rules::QuantileOf> out;
  const double quantile = reader.number(key.name).value_or(0.95);
  if (quantile <= 0 || quantile >= 1) reader.error(key.name, "expected a number between 0 and 1, such as 0.95");
  const toml::node* const of = reader.node("of");
  if (of == nullptr) return reader.missing("of", "name the histogram, such as of = 'http_request_duration_seconds'");
  if (const toml::array* several = of->as_array()) {
    for (const toml::node& candidate : *several) {
      if (auto family = read_family(reader, quantile, candidate)) out.push_back(*std::move(family));
    }
    if (several->empty()) reader.error("of", "expected at least one histogram");
  } else if (auto family = read_family(reader, quantile, *of)) {
    out.push_back(*std::move(family));
  }
  static_cast<SignalSpec*>(object)->of = std::move(out);
}

void read_expression(TableReader& reader, const Key& key, void* object) {
  if (!is_clear(reader) || !reader.has(key.name)) return;
  auto& out = *static_cast<SignalSpec*>(object);
  out.of = rules::ExpressionOf();
  const std::optional<Written> text = reader.written(key.name);
  if (!text) return;
  rules::Parsed<rules::ExpressionOf> parsed = rules::parse_signal_expression(text->text);
  if (const auto* mistake = std::get_if<rules::SyntaxError>(&parsed)) {
    reader.loading().findings.error(reader.loading().place_of(*text, mistake->offset),
                                    reader.owner(key.name) + ": " + mistake->what);
    return;
  }
  out.of = std::get<rules::ExpressionOf>(std::move(parsed));
}

std::string pair_of(const rules::RatioOf& ratio) {
  const std::string errors = rules::to_string(ratio.numerator);
  const std::string all = rules::to_string(ratio.denominator);
  if (ratio.rank == 0) return toml_strings({errors, all});
  return "{ errors = " + toml_string(errors) + ", all = " + toml_string(all) +
         ", rank = " + std::to_string(ratio.rank) + " }";
}

std::string family_of_toml(const rules::QuantileOf& quantile) {
  const std::string family = toml_string(rules::to_string(quantile.family));
  if (!quantile.unit && quantile.rank == 0) return family;
  std::string out = "{ of = " + family;
  if (quantile.unit) out += ", unit = \"" + std::string(word_of(*quantile.unit)) + "\"";
  return out + (quantile.rank == 0 ? " }" : ", rank = " + std::to_string(quantile.rank) + " }");
}

// One candidate on each line: arrays, unlike inline tables, may span lines.
template <class Candidates, class Write>
std::string candidates(const Candidates& all, const Write& write) {
  if (all.size() == 1 && all.front().rank == 0) return write(all.front());
  std::string out = "[\n";
  for (const auto& one : all) out += "  " + write(one) + ",\n";
  return out + "]";
}

std::string ratio_toml(const void* object) {
  const auto* const ratios = std::get_if<std::vector<rules::RatioOf>>(&static_cast<const SignalSpec*>(object)->of);
  return ratios == nullptr ? std::string() : candidates(*ratios, pair_of);
}

const std::vector<rules::QuantileOf>* quantiles_of(const void* object) {
  return std::get_if<std::vector<rules::QuantileOf>>(&static_cast<const SignalSpec*>(object)->of);
}

std::string quantile_toml(const void* object) {
  const std::vector<rules::QuantileOf>* const quantiles = quantiles_of(object);
  return quantiles == nullptr ? std::string() : toml_of_number(quantiles->front().quantile);
}

std::string of_toml(const void* object) {
  const std::vector<rules::QuantileOf>* const quantiles = quantiles_of(object);
  if (quantiles == nullptr) return {};
  return candidates(*quantiles, family_of_toml);
}

std::string expression_toml(const void* object) {
  const auto* const expression = std::get_if<rules::ExpressionOf>(&static_cast<const SignalSpec*>(object)->of);
  return expression == nullptr ? std::string() : toml_string(expression->text);
}

// Read with the quantile, which it belongs to.
void read_with_quantile(TableReader&, const Key&, void*) {}

}  // namespace

constexpr probes::Own ratio_of{"two selectors, or several such pairs", "['ERRORS', 'ALL']", read_ratio, ratio_toml};
constexpr probes::Own quantile_of{"a number between 0 and 1", "0.95", read_quantile, quantile_toml};
constexpr probes::Own family_of{"a selector, or several", "'http_request_duration_seconds'", read_with_quantile,
                                of_toml};
constexpr probes::Own expression_of{"a PromQL expression", "'in_use / size'", read_expression, expression_toml};

void settle_kind(TableReader& reader) {
  if (!is_clear(reader)) return reader.error("give exactly one of ratio, quantile and expr");
  if (reader.has("of") && !reader.has("quantile")) reader.error("of", "goes with quantile, such as quantile = 0.95");
}

}  // namespace watcher
