#include "cli_support.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

CliRun FakeWatcher::operator()(std::vector<std::string> arguments) {
  CliRun out;
  std::ostringstream printed;
  std::ostringstream told;
  std::map<std::string, std::size_t> used;
  int looks = 0;
  const auto call = [&](const std::string& path,
                        const watcher::ApiRequest& request) -> std::variant<watcher::ApiReply, std::string> {
    out.asked.push_back(request);
    const auto found = replies.find(request.target.substr(0, request.target.find('?')));
    if (found == replies.end()) return "no watcher answers at " + path;
    std::size_t& n = used[found->first];
    const watcher::ApiReply reply = found->second[std::min(n, found->second.size() - 1)];
    ++n;
    return reply;
  };
  const auto run = [&](const watcher::Config&, watcher::RunOptions options) {
    if (while_running) while_running(options);
    out.ran.push_back(std::move(options));
    return run_returns;
  };
  watcher::Terminal terminal{printed,  told, call, run, [&](rules::Duration) { return ++looks < looks_most; },
                             is_screen};
  terminal.plan = [&](const watcher::Config&, rules::RollbackByHand rollback) {
    out.planned.push_back(std::move(rollback));
    return plan;
  };
  if (answers) {
    terminal.ask = [&](const std::string& question) {
      out.questions.push_back(question);
      return *answers;
    };
  }
  out.exit_code = watcher::run_cli(std::move(arguments), terminal);
  out.out = printed.str();
  out.err = told.str();
  return out;
}

watcher::ApiReply json_reply(const std::string& body, unsigned status) {
  watcher::ApiReply reply;
  reply.status = status;
  reply.body = body;
  if (status >= 400) reply.content_type = "application/problem+json";
  return reply;
}

CliFolder::CliFolder(const std::string& more) {
  std::ofstream(config()) << "[watcher]\nstate_dir = 'state'\ncontrol = 'control.sock'\n" << more;
}

std::vector<std::string> CliFolder::line(std::vector<std::string> arguments) const {
  arguments.insert(arguments.end(), {"--config", config()});
  return arguments;
}
