#include "watcher/drivers/compose_sharers.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "watcher/drivers/compose_document.hpp"
#include "watcher/drivers/compose_foresight.hpp"
#include "watcher/drivers/compose_reading.hpp"

namespace watcher {

namespace {

bool joins_any(const ComposeContainer& one, const std::set<std::string>& all) {
  return std::any_of(one.joins.begin(), one.joins.end(), [&](const std::string& id) { return all.contains(id); });
}

bool may_share(const std::string& configuration) {
  const bool is_known = !configuration.empty();
  return !is_known || configuration.find("service:") != std::string::npos ||
         configuration.find("container:") != std::string::npos ||
         configuration.find("volumes_from") != std::string::npos;
}

}  // namespace

ComposeSharers sharers_among(const std::vector<ComposeContainer>& all, const ComposeLook& look) {
  ComposeSharers out;
  std::set<std::string> joined;
  for (const ComposeContainer& one : look.containers) joined.insert({one.id, one.name});
  std::set<std::string> seen = joined;
  // Who shares with a sharer is cut off with it.
  for (bool is_more = true; is_more;) {
    is_more = false;
    for (const ComposeContainer& one : all) {
      if (seen.contains(one.id) || !one.runs() || !joins_any(one, joined)) continue;
      is_more = true;
      seen.insert(one.id);
      out.containers.push_back(one);
      const bool is_ours = !one.service.empty() && one.project == look.project && !one.one_off;
      if (!is_ours) {
        out.others.push_back(one.name);
        continue;
      }
      joined.insert({one.id, one.name});
      ComposeRuns& runs = out.runs[one.service];
      runs.image = one.image;
      runs.image_name = one.image_name;
      ++runs.count;
    }
  }
  return out;
}

asio::awaitable<ComposeSharers> who_shares(const ComposeRunner& runner, ComposeLook look) {
  constexpr int tries = 3;  // a container may end to be between two questions
  ComposeSharers out;
  if (look.containers.empty()) co_return out;
  for (int i = 0; i < tries; ++i) {
    std::vector<std::string> list{"ps", "--no-trunc", "--format", "{{.ID}}"};
    const ComposeAnswer listed = co_await runner.docker(std::move(list), docker_question_limit);
    if (const auto* const error = std::get_if<ComposeError>(&listed)) {
      out.error = error->what;
      co_return out;
    }
    std::vector<std::string> inspect{"inspect", "--type", "container"};
    for (const ComposeListed& one : parse_listed(std::get<std::string>(listed))) inspect.push_back(one.id);
    constexpr std::size_t words_only = 3;
    if (inspect.size() == words_only) co_return ComposeSharers();
    const ComposeAnswer told = co_await runner.docker(std::move(inspect), docker_question_limit);
    const auto* const text = std::get_if<std::string>(&told);
    if (text == nullptr) {
      out.error = std::get<ComposeError>(told).what;
      continue;
    }
    const ComposeContainers all = parse_containers(*text);
    const auto* const found = std::get_if<std::vector<ComposeContainer>>(&all);
    if (found != nullptr) co_return sharers_among(*found, look);
    out.error = std::get<std::string>(all);
    co_return out;
  }
  co_return out;
}

std::string why_cut_off(const ComposeSharers& sharers, const std::string& configuration, const rules::Revision& to) {
  if (!sharers.error.empty()) return "what shares the network of the containers cannot be read: " + sharers.error;
  ComposeLook of_sharers;
  of_sharers.containers = sharers.containers;
  std::string own = why_own_container(of_sharers);
  if (!own.empty()) return own;
  for (const auto& [service, runs] : sharers.runs) {
    const auto made = pinned(configuration, {{service, runs.image}}, true);
    if (!std::holds_alternative<std::string>(made)) continue;
    return service + " shares the network, or the like, of what would be made anew, and would be cut off: the " +
           "configuration of " + to.text + " has no " + service + " to make it anew from; do say its `profiles`, or " +
           "deploy by hand";
  }
  return {};
}

asio::awaitable<std::string> why_cut_off(const ComposeRunner& runner, ComposeLook look, ComposeRecords records,
                                         rules::Revision to) {
  if (!may_share(records.configuration_of(rules::Revision(look.revision)))) co_return std::string();
  const ComposeSharers sharers = co_await who_shares(runner, std::move(look));
  co_return why_cut_off(sharers, records.configuration_of(to), to);
}

std::vector<std::string> what_is_made_anew(const ComposeSharers& sharers) {
  std::vector<std::string> lines;
  for (const auto& one : sharers.runs) {
    lines.push_back(one.first + " shares the network, or the like, of what was switched: it was made anew with it, " +
                    "from the image that it had");
  }
  for (const std::string& name : sharers.others) {
    lines.push_back(name + " shared the network, or the like, of what was switched and is cut off from it: it is not " +
                    "the project's, so it was left alone; do make it anew");
  }
  return lines;
}

std::vector<std::string> what_is_cut_off(const ComposeSharers& before, const ComposeSharers& now) {
  std::vector<std::string> lines;
  for (const auto& one : before.runs) {
    if (now.error.empty() && !now.runs.contains(one.first))
      lines.push_back(one.first + " does not run with what runs now; its last words: docker compose logs " + one.first +
                      "; do docker compose up -d --no-deps --force-recreate " + one.first);
  }
  return lines;
}

}  // namespace watcher
