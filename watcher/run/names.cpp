#include "watcher/run/names.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

namespace watcher {

namespace {

constexpr std::size_t prefix_min = 4;   // characters; fewer are no name
constexpr std::size_t digest_min = 20;  // characters; what is shorter is a version, and 1.0.1 is not short for 1.0.10
constexpr std::size_t candidates_max = 8;  // that are listed

bool begins(const std::string& word, const std::string& revision) {
  if (word.size() < prefix_min || revision.size() < digest_min || !revision.starts_with(word)) return false;
  return revision.find_first_not_of("0123456789abcdef", word.size()) == std::string::npos;
}

// The tag of an image: v1.4.0 for registry/shop:v1.4.0.
bool is_tail_of(const std::string& word, const std::string& revision) {
  if (word.empty() || revision.size() <= word.size() || !revision.ends_with(word)) return false;
  const char before = revision[revision.size() - word.size() - 1];
  return before == ':' || before == '/';
}

bool is_commit(const rules::Revision& revision) {
  const std::string& text = revision.text;
  return (text.size() == 40 || text.size() == 64) && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Of an image with its tag or digest; a port is followed by a path.
bool is_image(const rules::Revision& revision) {
  const std::size_t colon = revision.text.rfind(':');
  return colon != std::string::npos && revision.text.find('/', colon) == std::string::npos;
}

// Whether a switch to it could never be seen to have come about: all that is known of the service reads otherwise.
bool is_none_of(const rules::Revision& word, const std::vector<rules::Revision>& known) {
  const auto alike = [&](auto is) {
    return !known.empty() && std::all_of(known.begin(), known.end(), is) && !is(word);
  };
  return alike(is_commit) || alike(is_image);
}

std::string listed(const std::vector<rules::Revision>& revisions) {
  std::string out;
  for (std::size_t i = 0; i < std::min(revisions.size(), candidates_max); ++i) {
    out += (i == 0 ? "" : ", ") + revisions[i].text;
  }
  return revisions.size() > candidates_max ? out + ", ..." : out;
}

Meant one_of(const std::string& word, const std::vector<rules::Revision>& candidates) {
  if (candidates.size() == 1) return {candidates.front(), true, {}, false};
  return {{}, false, word + " is ambiguous: " + listed(candidates), true};
}

}  // namespace

asio::awaitable<Meant> meant_by(rules::Revision word, Driver* driver, std::vector<rules::Revision> known) {
  if (std::find(known.begin(), known.end(), word) != known.end()) co_return one_of(word.text, {word});
  NameMeans said;
  if (driver != nullptr) said = co_await driver->meaning_of(word.text);
  if (!said.meant.empty()) co_return one_of(word.text, said.meant);
  std::vector<rules::Revision> candidates;
  for (const rules::Revision& revision : known) {
    if (begins(word.text, revision.text)) candidates.push_back(revision);
  }
  if (!candidates.empty()) co_return one_of(word.text, candidates);
  Meant out;
  for (const rules::Revision& revision : known) {
    if (!said.knows_names && is_tail_of(word.text, revision.text)) candidates.push_back(revision);
  }
  if (candidates.size() == 1) co_return one_of(word.text, candidates);
  if (candidates.size() > 1) {
    out.refused = word.text + " is ambiguous: " + listed(candidates);
  } else if (!said.knows_names && is_none_of(word, known)) {
    out.refused = word.text + " is not how what runs is called; known are " + listed(known);
  } else if (said.knows_names) {
    out.refused = said.why_none;
  } else {
    out.revision = std::move(word);
    // What a command or a CI makes of it nobody knows before.
    out.is_unchecked = driver != nullptr && said.why_none.empty() && rules::is_safe_in_argv(out.revision);
  }
  co_return out;
}

std::vector<rules::Revision> revisions_of(const std::vector<rules::LedgerRecord>& ledger,
                                          const rules::ServiceName& service) {
  std::vector<rules::Revision> out;
  for (const rules::LedgerRecord& record : ledger) {
    if (record.service == service) out.push_back(record.revision);
  }
  return out;
}

asio::awaitable<std::vector<rules::NamedRevision>> names_now(Driver& driver, std::vector<PlanName> names) {
  std::vector<rules::NamedRevision> out;
  for (const PlanName& one : names) {
    const NameMeans means = co_await driver.meaning_of(one.name);
    if (!means.knows_names) break;
    rules::NamedRevision named;
    named.name = one.name;
    named.why_not = "switch = \"" + one.name + "\": " + means.why_none;
    if (means.meant.size() == 1) named.revision = means.meant.front();
    if (means.meant.size() > 1) named.why_not += "ambiguous: " + listed(means.meant);
    out.push_back(std::move(named));
  }
  co_return out;
}

std::vector<PlanName> names_in_plans(const Config& config, const rules::ServiceName& service) {
  std::vector<PlanName> out;
  for (const rules::ActionSpec& action : config.core.actions) {
    const rules::SwitchStep* const step = action.switch_step();
    if (step == nullptr || step->kind != rules::SwitchTargetKind::revision) continue;
    bool is_used = false;
    PlanName name{step->revision.text, false};
    for (const rules::RuleSpec& rule : config.core.rules) {
      if (std::find(rule.respond.begin(), rule.respond.end(), action.name) == rule.respond.end()) continue;
      is_used = true;
      name.responds = name.responds || rule.service == service;
    }
    if (name.responds || !is_used) out.push_back(std::move(name));
  }
  return out;
}

std::string why_no_name(const std::vector<PlanName>& names, const std::vector<rules::NamedRevision>& now) {
  for (const rules::NamedRevision& named : now) {
    if (!named.revision.empty()) continue;
    const bool responds = std::any_of(names.begin(), names.end(),
                                      [&](const PlanName& one) { return one.responds && one.name == named.name; });
    if (responds) return named.why_not;
  }
  return "";
}

}  // namespace watcher
