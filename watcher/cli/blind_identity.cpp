#include <algorithm>
#include <string>

#include "watcher/cli/check_online.hpp"

// An `identify` that asks git for HEAD beside a switch that checks out paths alone, which does not move HEAD.

namespace watcher {

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// As a shell would have them, so that `sh -c` is seen through.
std::string line_of(const std::vector<NamedCommand>& commands, const std::string& owner) {
  const auto found =
      std::find_if(commands.begin(), commands.end(), [&](const auto& one) { return one.owner == owner; });
  std::string line;
  if (found == commands.end()) return line;
  for (const std::string& word : found->argv) line += " " + word;
  return line;
}

bool asks_for_head(const std::string& line) {
  const bool of_what_is_there = has(line, "diff-index") || has(line, "write-tree") || has(line, "ls-files");
  return has(line, "git") && !of_what_is_there && (has(line, " log ") || has(line, " describe") || has(line, "HEAD"));
}

bool leaves_head(const std::string& line) {
  const bool restores = has(line, " restore ");
  return has(line, "git") && (restores || (has(line, " checkout ") && has(line, " -- ")));
}

}  // namespace

std::vector<OnlineFinding> blind_identities(const Config& config) {
  const std::vector<NamedCommand> commands = commands_of(config);
  std::vector<OnlineFinding> out;
  for (const DriverSection& section : config.drivers) {
    const std::string owner = "service." + section.service.text;
    if (!asks_for_head(line_of(commands, owner + ".identify"))) continue;
    if (!leaves_head(line_of(commands, owner + ".switch"))) continue;
    out.push_back({OnlineFinding::Kind::advice, "service " + section.service.text,
                   "identify asks for HEAD, which a checkout of paths does not move: every rollback would end as "
                   "wrong_revision; use driver = \"git\" with paths, or ask for what the index has (README, \"A part "
                   "of a repository\")"});
  }
  return out;
}

}  // namespace watcher
