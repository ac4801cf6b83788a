#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "watcher/config/config.hpp"
#include "watcher/config/findings.hpp"
#include "watcher/config/source.hpp"

namespace watcher {

// A text from which conditions and selectors are parsed, and how to find a byte of it in the file.
struct Written {
  std::string text;
  Place begin;                                              // of the string's opening quote
  std::vector<std::pair<std::size_t, std::size_t>> shifts;  // (offset in `text`, offset as written), ascending

  std::size_t original_offset(std::size_t offset) const;
};

// A condition whose names are checked when all names are known.
struct PlacedCondition {
  rules::Condition condition;
  Written written;
  std::string owner;  // "rule.slow.when"
};

// A command named in the file, to look at who else could write it.
struct PlacedCommand {
  std::vector<std::string> argv;  // its program absolute, or looked up in PATH
  std::string dir;                // that it will run in
  Place place;
  std::string owner;
};

// A name used at a place.
struct PlacedName {
  std::string name;
  Place place;
};

// A rule as read, before its names are resolved.
struct ReadRule {
  rules::RuleSpec spec;
  Place place;
  Place service_place;
  bool responds = false;  // says itself what it responds with
  std::vector<Place> respond_places;
};

// What a service's few lines stand for, put into words when everything that is written out has been read.
struct ShortForm {
  std::string service;
  Place place;
  std::string prefix;  // of implied names: empty when the file has one service, else "web_"
  bool has_health = false;
  bool has_metrics = false;
  std::int64_t port = 0;               // of this host, where its metrics or health are; 0: elsewhere
  std::vector<std::string> own_paths;  // that its probes ask for; none of a secret address
  std::vector<Written> rules;
};

// What a run of reading has gathered so far.
struct Loading {
  Loading(const Source& file, std::string folder) : source(file), dir(std::move(folder)) {}

  const Source& source;
  std::string dir;
  Secrets secrets = Secrets::hidden;
  Findings findings;
  Config config;
  std::vector<PlacedCondition> conditions;
  std::vector<PlacedCommand> commands;

  // Defined names, including those whose definition has mistakes, so that one mistake is told once.
  std::set<std::string> probe_names;
  std::set<std::string> unreadable_probes;  // defined, but what fields they have is not known
  std::set<std::string> signal_names;
  std::set<std::string> service_names;
  std::set<std::string> action_names;
  std::set<std::string> notifier_names;

  // Names used, checked at the end.
  std::vector<PlacedName> notifiers_used;
  std::vector<ReadRule> rules;
  std::vector<ShortForm> short_forms;
  std::map<std::string, std::vector<PlacedName>> depends_on;  // service -> names
  std::map<std::string, Place> service_places;

  Place place_of(const Written& written, std::size_t offset) const;
  // An absolute path: relative ones start at the configuration's folder.
  std::string absolute(std::string_view path) const;
  // What stands in the file at a key and must not be told.
  void keep_secrets(std::vector<std::string> parts, const std::string& owner);
  // Parses, reports a mistake at its column, notes the references. Empty when it does not parse.
  rules::Condition condition(const Written& written, const std::string& owner);
};

}  // namespace watcher
