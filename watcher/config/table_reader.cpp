#include "watcher/config/table_reader.hpp"

#include <algorithm>
#include <cmath>

#include "watcher/config/values.hpp"

namespace watcher {

Place place_of(const toml::node& node) {
  return {static_cast<std::size_t>(node.source().begin.line), static_cast<std::size_t>(node.source().begin.column)};
}

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
  }
  return "";
}

TableReader::TableReader(Loading& loading, const toml::table& table, std::string owner)
    : loading_(loading), table_(table), owner_(std::move(owner)), place_(place_of(table)) {}

const toml::node* TableReader::node(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void TableReader::wrong_type(const toml::node& node, const std::string& owner, std::string_view expected) {
  loading_.findings.error(place_of(node),
                          owner + ": expected " + std::string(expected) + ", found " + std::string(type_name(node)));
}

std::optional<std::string> TableReader::string_of(const toml::node& node, const std::string& owner) {
  const auto* const text = node.as_string();
  if (text == nullptr) {
    wrong_type(node, owner, "a string");
    return std::nullopt;
  }
  if (refuse_nul(loading_, node, text->get(), owner)) return std::nullopt;
  return text->get();
}

std::optional<std::string> TableReader::string(std::string_view key) {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  return string_of(*found, owner(key));
}

std::optional<Written> TableReader::written(std::string_view key) {
  std::optional<std::string> text = string(key);
  if (!text) return std::nullopt;
  return Written{*std::move(text), place(key), {}};
}

std::optional<Text> TableReader::text(std::string_view key) {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  return read_text(loading_, *found, owner(key));
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  if (const auto* value = found->as_boolean()) return value->get();
  wrong_type(*found, owner(key), "true or false");
  return std::nullopt;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  const auto* const value = found->as_integer();
  if (value == nullptr) {
    wrong_type(*found, owner(key), "an integer");
    return std::nullopt;
  }
  if (value->get() >= least && value->get() <= most) return value->get();
  error(key, "expected " + std::to_string(least) + " to " + std::to_string(most) + ", found " +
                 std::to_string(value->get()));
  return std::nullopt;
}

std::optional<double> TableReader::number(std::string_view key) {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  const std::optional<double> value = found->is_number() ? found->value<double>() : std::nullopt;
  if (value && std::isfinite(*value)) return value;
  wrong_type(*found, owner(key), "a finite number");
  return std::nullopt;
}

std::optional<double> TableReader::share(std::string_view key) {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  std::optional<double> value;
  if (found->is_number()) value = found->value<double>();
  if (const auto* text = found->as_string()) value = parse_share(text->get());
  if (value && *value > 0 && *value <= 1) return value;
  error(key, "expected a share such as \"90%\" or 0.9, above 0 and at most 100%");
  return std::nullopt;
}

std::optional<rules::Duration> TableReader::duration(std::string_view key, rules::Duration least) {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  const auto* const text = found->as_string();
  if (text == nullptr) {
    wrong_type(*found, owner(key), "a duration such as \"500ms\", \"5s\", \"5m\", \"1h30m\" or \"7d\"");
    return std::nullopt;
  }
  const rules::Parsed<rules::Duration> parsed = rules::parse_duration(text->get());
  if (const auto* mistake = std::get_if<rules::SyntaxError>(&parsed)) {
    const Place at = loading_.source.inside_string(place_of(*found), mistake->offset);
    loading_.findings.error(at, owner(key) + ": " + mistake->what + ", found \"" + text->get() + "\"");
    return std::nullopt;
  }
  const rules::Duration value = std::get<rules::Duration>(parsed);
  if (value >= least) return value;
  error(key, "must be at least " + rules::to_string(least) + ", found " + text->get());
  return std::nullopt;
}

std::optional<std::int64_t> TableReader::size(std::string_view key) {
  const toml::node* const found = node(key);
  if (found == nullptr) return std::nullopt;
  std::optional<std::int64_t> value;
  if (const auto* bytes = found->as_integer()) value = bytes->get();
  if (const auto* text = found->as_string()) value = parse_size(text->get());
  if (value && *value > 0) return value;
  error(key, "expected a size such as \"512KiB\", \"8MiB\" or \"1GiB\"");
  return std::nullopt;
}

std::optional<std::string> TableReader::path(std::string_view key) {
  const std::optional<std::string> text = string(key);
  if (!text) return std::nullopt;
  if (!text->empty()) return loading_.absolute(*text);
  error(key, "expected a path, found an empty string");
  return std::nullopt;
}

std::optional<std::vector<std::string>> TableReader::strings(std::string_view key) {
  const toml::node* const found = node(key);
  return found == nullptr ? std::nullopt : strings_of(*found, owner(key));
}

std::optional<std::vector<std::string>> TableReader::strings_of(const toml::node& node, const std::string& owner) {
  const toml::array* const array = node.as_array();
  if (array == nullptr) {
    wrong_type(node, owner, "an array of strings");
    return std::nullopt;
  }
  std::vector<std::string> out;
  bool whole = true;
  for (const toml::node& element : *array) {
    std::optional<std::string> text = string_of(element, owner);
    whole = whole && text.has_value();
    if (text) out.push_back(*std::move(text));
  }
  return whole ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::map<std::string, std::string>> TableReader::string_map(std::string_view key) {
  const toml::table* const entries = subtable(key);
  if (entries == nullptr) return std::nullopt;
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : *entries) {
    std::optional<std::string> text = string_of(value, owner(key) + "." + std::string(name.str()));
    if (text) out.emplace(name.str(), *std::move(text));
  }
  return out;
}

std::optional<std::map<std::string, Text>> TableReader::text_map(std::string_view key) {
  const toml::table* const entries = subtable(key);
  if (entries == nullptr) return std::nullopt;
  std::map<std::string, Text> out;
  for (const auto& [name, value] : *entries) {
    std::optional<Text> text = read_text(loading_, value, owner(key) + "." + std::string(name.str()));
    if (text) out.emplace(name.str(), *std::move(text));
  }
  return out;
}

rules::Condition TableReader::condition(std::string_view key) {
  const std::optional<Written> text = written(key);
  return text ? loading_.condition(*text, owner(key)) : rules::Condition();
}

const toml::table* TableReader::subtable(std::string_view key) {
  const toml::node* const found = node(key);
  if (found == nullptr) return nullptr;
  if (const toml::table* table = found->as_table()) return table;
  wrong_type(*found, owner(key), "a table");
  return nullptr;
}

std::vector<const toml::table*> TableReader::subtables(std::string_view key) {
  std::vector<const toml::table*> out;
  const toml::node* const found = node(key);
  if (found == nullptr) return out;
  const toml::array* const array = found->as_array();
  if (array == nullptr) {
    wrong_type(*found, owner(key), "an array of tables, written [[" + owner(key) + "]]");
    return out;
  }
  for (const toml::node& element : *array) {
    if (const toml::table* table = element.as_table()) {
      out.push_back(table);
    } else {
      wrong_type(element, owner(key), "a table");
    }
  }
  return out;
}

Place TableReader::place(std::string_view key) const {
  const toml::node* const found = table_.get(key);
  return found == nullptr ? place_ : place_of(*found);
}

Place TableReader::key_place(std::string_view key) const {
  const auto found = table_.find(key);
  if (found == table_.end()) return place_;
  const toml::source_position at = found->first.source().begin;
  return {static_cast<std::size_t>(at.line), static_cast<std::size_t>(at.column)};
}

void TableReader::error(std::string_view key, const std::string& what) {
  known_.emplace_back(key);
  loading_.findings.error(place(key), owner(key) + ": " + what);
}

void TableReader::error(const std::string& what) { loading_.findings.error(place_, owner_ + ": " + what); }

void TableReader::missing(std::string_view key, const std::string& what) {
  known_.emplace_back(key);
  loading_.findings.error(place_, owner_ + ": " + std::string(key) + " is missing; " + what);
}

void TableReader::refuse_later(std::string_view key) {
  const std::string name(key);
  known_.push_back(name);
  loading_.findings.error(key_place(name),
                          owner_ + ": key \"" + name + "\" is not in this version of rollbackd; leave it out");
}

void TableReader::finish() {
  if (skip_rest_) return;
  for (const auto& [key, value] : table_) {
    const std::string name(key.str());
    const auto is_in = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (is_in(known_)) continue;
    if (is_in(later_))
      refuse_later(name);
    else
      loading_.findings.error(key_place(name), (owner_.empty() ? "" : owner_ + ": ") + "unknown key \"" + name + "\"" +
                                                   did_you_mean(name, known_));
  }
}

}  // namespace watcher
