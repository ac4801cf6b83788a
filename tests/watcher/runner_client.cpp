#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <vector>

#include "runner_support.hpp"

// The watcher's side, at a runner that turns it away.

namespace {

using journal_support::contains;
using runner_support::Question;
using runner_support::RunnerReply;
using runner_support::Says;
namespace asio = boost::asio;
using local = asio::local::stream_protocol;
using probes::as_result;

// Reads nothing of what it is asked, says that, and closes.
struct TurnsAway {
  journal_support::Folder folder;
  asio::io_context io;
  std::string says;
  local::acceptor door{io, local::endpoint(folder.path + "/socket")};
  probes::TaskGroup tasks{io.get_executor()};

  asio::awaitable<void> serve() {
    local::socket asker(io);
    co_await door.async_accept(asker, as_result);
    const auto words = asio::buffer(says);
    co_await asio::async_write(asker, words, as_result);
  }
  asio::awaitable<void> ask_into(Question question, std::optional<RunnerReply>& reply) {
    watcher::RunnerClient client(folder.path + "/socket", watcher::sha256_hex("a file"));
    const watcher::RunnerClient::Started nobody;
    const rules::Duration limit = std::chrono::seconds(20);
    RunnerReply answer = co_await client.ask(std::move(question), limit, nobody);
    reply = std::move(answer);
  }
  RunnerReply ask(Question question) {
    std::optional<RunnerReply> reply;
    tasks.spawn("runner", serve());
    tasks.spawn("ask", ask_into(std::move(question), reply));
    io.run();
    REQUIRE(reply);
    return *std::move(reply);
  }
};

// More than a socket holds: the rest of it finds the connection closed.
Question long_question() {
  Question question;
  for (int i = 0; i < 4000; ++i) question.known.emplace_back(std::string(100, 'a'));
  return question;
}

}  // namespace

TEST_CASE("a refusal that came before the question was read is heard, and what it says") {
  for (const Question& question : {Question(), long_question()}) {
    RunnerReply refusal;
    refusal.says = Says::refused;
    refusal.why = "the runner refuses: user 7 may not ask it";
    TurnsAway runner;
    runner.says = watcher::line_of(refusal) + "\n";
    const RunnerReply reply = runner.ask(question);
    CHECK(reply.says == Says::refused);
    CHECK(reply.why == refusal.why);
  }
}

TEST_CASE("a runner that closes without a word is lost, and whether it had begun anything is asked for") {
  for (const Question& question : {Question(), long_question()}) {
    TurnsAway runner;
    const RunnerReply reply = runner.ask(question);
    CHECK(reply.says == Says::lost);
    CHECK(contains(reply.why, "do systemctl start rollbackd-runner"));
  }
}
