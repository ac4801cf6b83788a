#include "watcher/config/short_form.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "watcher/config/known_libraries.hpp"
#include "watcher/config/sections.hpp"

namespace watcher {

namespace {

constexpr std::string_view separator = " for ";

bool starts_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_in_word(char c) { return starts_word(c) || (c >= '0' && c <= '9'); }

bool is_implied_signal(std::string_view word) { return word == "error_rate" || quantile_named(word).has_value(); }

// The probe of the memory: one for each service, because each is measured where its own application runs, unless the
// file says itself what the host is.
std::string host_of(const ShortForm& form, const Loading& loading) {
  return loading.probe_names.contains("host") || form.port == 0 ? "host" : form.prefix + "host";
}

// What a word of a short condition stands for; the word itself when it stands for nothing else.
std::string meaning_of(std::string_view word, char next, const ShortForm& form, const Loading& loading) {
  const std::string prefixed = form.prefix + std::string(word);
  if (next == '.') return loading.probe_names.contains(prefixed) ? prefixed : std::string(word);
  if (loading.signal_names.contains(std::string(word))) return std::string(word);
  if (word == "down") return form.prefix + "health.up == 0";
  if (word == "memory") return host_of(form, loading) + ".memory_used";
  if (is_implied_signal(word)) return prefixed;
  return std::string(word);
}

// "error_rate > 5%" is error_rate; "app.queue > 5" is app_queue.
std::string rule_name_of(std::string_view condition) {
  std::string out;
  for (const char c : condition) {
    const bool letter = is_in_word(c) || (c == '.' && !out.empty());
    if (letter)
      out += c == '.' ? '_' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    else if (!out.empty())
      break;
  }
  return out.empty() || !starts_word(out.front()) ? "rule" : out;
}

std::string free_rule_name(const std::string& wanted, const Loading& loading) {
  const auto taken = [&](const std::string& name) {
    return std::any_of(loading.rules.begin(), loading.rules.end(),
                       [&](const ReadRule& rule) { return rule.spec.name.text == name; });
  };
  std::string name = wanted;
  for (int n = 2; taken(name); ++n) name = wanted + "_" + std::to_string(n);
  return name;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Sustain time after the last " for "; reported when it is missing or wrong.
std::optional<rules::Duration> sustain_of(Loading& loading, const Written& rule, std::size_t at,
                                          const std::string& owner) {
  if (at == std::string::npos) {
    loading.findings.error(rule.begin,
                           owner + ": expected \"CONDITION for DURATION\", such as \"error_rate > 5% for 5m\"");
    return std::nullopt;
  }
  const std::size_t from = std::min(rule.text.find_first_not_of(' ', at + separator.size()), rule.text.size());
  const rules::Parsed<rules::Duration> parsed =
      rules::parse_duration(trimmed(std::string_view(rule.text).substr(from)));
  if (const auto* mistake = std::get_if<rules::SyntaxError>(&parsed)) {
    loading.findings.error(loading.place_of(rule, from + mistake->offset), owner + ": " + mistake->what);
    return std::nullopt;
  }
  return std::get<rules::Duration>(parsed);
}

void imply_rule(Loading& loading, const ShortForm& form, const Written& rule) {
  const std::string owner = "service." + form.service + ".rules";
  const std::size_t at = rule.text.rfind(separator);
  const std::optional<rules::Duration> sustain = sustain_of(loading, rule, at, owner);
  Written condition{std::string(trimmed(rule.text.substr(0, at))), rule.begin, {}};
  const std::string name = rule_name_of(condition.text);
  ReadRule out;
  out.spec.when = loading.condition(spelled_out(condition, form, loading), owner);
  out.spec.name = rules::RuleName(free_rule_name(form.prefix + name, loading));
  out.spec.service = rules::ServiceName(form.service);
  out.spec.sustain = sustain.value_or(rules::Duration::zero());
  out.spec.severity = trimmed(condition.text) == "down" ? rules::Severity::p0 : rules::Severity::p1;
  out.place = rule.begin;
  out.service_place = rule.begin;
  loading.rules.push_back(std::move(out));
}

void imply_signal(Loading& loading, const ShortForm& form, const std::string& word) {
  const std::string name = form.prefix + word;
  if (loading.signal_names.contains(name)) return;
  rules::SignalSpec out;
  out.name = rules::SignalName(name);
  out.probe = rules::ProbeName(form.prefix + "metrics");
  if (const std::optional<double> quantile = quantile_named(word)) {
    out.of = usual_durations(*quantile, form.own_paths);
  } else {
    out.of = usual_error_ratios(form.own_paths);
  }
  loading.signal_names.insert(name);
  loading.config.core.signals.push_back(std::move(out));
}

void imply_host(Loading& loading, const std::string& name, std::int64_t port) {
  if (loading.probe_names.contains(name)) return;
  probes::ProbeConfig out = probe_with_defaults(name);
  probes::HostProbe host;
  host.port = port;
  host.or_host = port != 0;
  if (name != "host") host.disks.clear();  // `host` measures them once
  out.what = std::move(host);
  loading.probe_names.insert(name);
  loading.config.probes.push_back(std::move(out));
}

}  // namespace

Written spelled_out(const Written& condition, const ShortForm& form, const Loading& loading) {
  Written out{"", condition.begin, {}};
  const std::string& text = condition.text;
  for (std::size_t at = 0; at < text.size();) {
    const bool quoted = text[at] == '"';
    if (!is_in_word(text[at]) && !quoted) {
      out.text += text[at++];
      continue;
    }
    std::size_t end = at + 1;
    if (quoted)
      end = std::min(text.find('"', end), text.size() - 1) + 1;
    else
      while (end < text.size() && is_in_word(text[end])) ++end;
    const std::string_view word = std::string_view(text).substr(at, end - at);
    const bool is_field = at > 0 && text[at - 1] == '.';
    const char next = end < text.size() ? text[end] : ' ';
    out.shifts.emplace_back(out.text.size(), at);
    const bool plain = quoted || is_field || !starts_word(word.front());
    out.text += plain ? std::string(word) : meaning_of(word, next, form, loading);
    out.shifts.emplace_back(out.text.size(), end);
    at = end;
  }
  return out;
}

void imply_rules(Loading& loading) {
  for (const ShortForm& form : loading.short_forms) {
    for (const Written& rule : form.rules) imply_rule(loading, form, rule);
  }
}

void imply_what_is_named(Loading& loading) {
  for (const ShortForm& form : loading.short_forms) {
    for (const PlacedCondition& placed : loading.conditions) {
      for (const rules::Condition::Reference& reference : placed.condition.references()) {
        if (const auto* field = std::get_if<rules::FieldRef>(&reference.to)) {
          const std::string& name = field->probe.text;
          if (name == form.prefix + "host") imply_host(loading, name, form.port);
          if (name == "host") imply_host(loading, name, 0);
        }
        const auto* const signal = std::get_if<rules::SignalRef>(&reference.to);
        if (signal == nullptr || !form.has_metrics || !signal->signal.text.starts_with(form.prefix)) continue;
        const std::string word = signal->signal.text.substr(form.prefix.size());
        if (is_implied_signal(word)) imply_signal(loading, form, word);
      }
    }
  }
}

}  // namespace watcher
