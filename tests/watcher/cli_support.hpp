#pragma once

#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "test_folder.hpp"
#include "watcher/cli/cli.hpp"

// What a command line printed, asked and returned, with a watcher that answers as it is told.
struct CliRun {
  int exit_code = -1;
  std::string out;
  std::string err;
  std::vector<watcher::ApiRequest> asked;
  std::vector<watcher::RunOptions> ran;
  std::vector<rules::RollbackByHand> planned;
  std::vector<std::string> questions;
};

struct FakeWatcher {
  // Target without query -> replies, one after the other; the last one stays. No entry: no watcher answers.
  std::map<std::string, std::vector<watcher::ApiReply>> replies;
  int run_returns = 0;
  bool is_screen = false;
  int looks_most = 3;                    // `wait` says no after so many
  watcher::ApiReply plan{};              // without a watcher
  std::optional<std::string> answers{};  // what a person types; none: there is nobody
  std::function<void(const watcher::RunOptions&)> while_running{};

  CliRun operator()(std::vector<std::string> arguments);
};

watcher::ApiReply json_reply(const std::string& body, unsigned status = 200);

// A folder with rollbackd.toml in it and nothing else, removed at the end.
class CliFolder {
 public:
  explicit CliFolder(const std::string& more = {});
  const std::string& path() const { return folder_.path; }
  std::string config() const { return path() + "/rollbackd.toml"; }
  // The arguments, with --config at the end.
  std::vector<std::string> line(std::vector<std::string> arguments) const;

 private:
  TestFolder folder_;
};
