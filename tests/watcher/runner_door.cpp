#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <vector>

#include "probes/net/descriptor.hpp"
#include "runner_support.hpp"

namespace {

using journal_support::contains;
using runner_support::Asks;
using runner_support::Halves;
using runner_support::Question;
using runner_support::RunnerReply;
using runner_support::Says;

// A connection of a program that is not ours.
probes::Descriptor connected(const std::string& path) {
  probes::Descriptor out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const auto* const there = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  if (::connect(out.number(), there, sizeof(address)) != 0) return {};
  return out;
}

// What is answered to these bytes, until the runner closes.
std::string answer_to(Halves& halves, const std::string& bytes, bool then_close) {
  const probes::Descriptor asker = connected(halves.socket());
  REQUIRE(asker.is_open());
  std::size_t sent = 0;
  std::string said;
  halves.run_until([&] {
    while (sent < bytes.size()) {
      const ssize_t count = ::send(asker.number(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    if (then_close && sent == bytes.size()) ::shutdown(asker.number(), SHUT_WR);
    char room[4096];
    const ssize_t count = ::recv(asker.number(), room, sizeof(room), 0);
    if (count > 0) said.append(room, static_cast<std::size_t>(count));
    return count == 0 || (count < 0 && errno != EAGAIN);
  });
  return said;
}

}  // namespace

TEST_CASE("SPEC 10: the runner reads what runs, and says what it could not begin") {
  Halves halves;
  Question question;
  question.service = rules::ServiceName("web");
  const RunnerReply reply = halves.ask(question);
  REQUIRE(reply.read.has_value());
  CHECK(reply.read->revision == rules::Revision("v2"));
  question.asks = Asks::plan_ready;
  const RunnerReply plans = halves.ask(question);
  REQUIRE(plans.readiness.has_value());
  CHECK(plans.readiness->reason == "");
}

TEST_CASE("names that the runner's own configuration has not are refused, and nothing is begun") {
  Halves halves;
  std::vector<Question> asked(6, halves.step(0));
  asked[0].service = asked[0].context.service = rules::ServiceName("other");
  asked[1].action = rules::ActionName("other");
  asked[2].plan = watcher::sha256_hex("another plan of that name");
  asked[3].step.step = 99;
  asked[4].step.section = rules::PlanSection::always;
  asked[5].step.step = 2;  // http: asked by the watcher
  for (const Question& question : asked) {
    const RunnerReply reply = halves.ask(question);
    CHECK(reply.says == Says::refused);
    CHECK(reply.why != "");
  }
  CHECK(halves.ran() == "");
}

TEST_CASE("values that are none are refused before anything is looked for, and nothing is begun") {
  Halves halves;
  const auto refused = [&](const std::function<void(Question&)>& change) {
    Question question = halves.step(0);
    change(question);
    const RunnerReply reply = halves.ask(question);
    CHECK(reply.says == Says::refused);
    CHECK(contains(reply.why, "the runner refuses"));
  };
  for (const char* bad : {"; rm -rf /", "-rf", "$(id)", "a b", "../../etc", "\n", "\x1b[2J"}) {
    CAPTURE(bad);
    refused([bad](Question& one) { one.context.to = rules::Revision(bad); });
    refused([bad](Question& one) { one.context.from = rules::Revision(bad); });
    refused([bad](Question& one) { one.to = rules::Revision(bad); });
    refused([bad](Question& one) { one.name = bad; });
    refused([bad](Question& one) { one.known.emplace_back(bad); });
  }
  for (const char* bad : {"../x", "/etc", ".hidden", "a b", "a\nb", "-x", ""}) {
    CAPTURE(bad);
    refused([bad](Question& one) { one.step.incident = one.context.incident = rules::IncidentId(bad); });
  }
  for (const char* bad : {"a\nb", "\x1b]52;c;x\x07", "\xe2\x80\xae", "\xff"}) {
    CAPTURE(bad);
    refused([bad](Question& one) { one.context.reason = bad; });
    refused([bad](Question& one) { one.context.schema_to = bad; });
    refused([bad](Question& one) { one.context.backup = bad; });
    refused([bad](Question& one) { one.context.rule = rules::RuleName(bad); });
    refused([bad](Question& one) { one.files.emplace_back(bad); });
  }
  refused([](Question& one) { one.context.reason.assign(5000, 'x'); });
  refused([](Question& one) { one.context.backup = "-o/x"; });
  refused([](Question& one) { one.step.attempt = -1; });
  refused([](Question& one) { one.context.incident = rules::IncidentId("another"); });
  CHECK(halves.ran() == "");
}

TEST_CASE("what is no question is answered with a refusal, and the next asker is served") {
  Halves halves;
  const std::string identify = R"({"version":1,"asks":"identify","service":"web","config":")" + halves.config->hash;
  const std::vector<std::string> no_questions{"",
                                              "[1,2,3]",
                                              std::string(5000, '['),
                                              R"({"asks":"run"})",
                                              R"({"service":["sh","-c","id"]})",
                                              R"({"step":{"step":-1}})"};
  for (const std::string& line : no_questions)
    CHECK(contains(answer_to(halves, line + "\n", false), "that is no question"));
  CHECK(contains(answer_to(halves,
                           R"({"version":2})"
                           "\n",
                           false),
                 "other_version"));
  CHECK(contains(answer_to(halves, identify, true), "End of file"));  // half a line
  CHECK(contains(answer_to(halves, identify + "\"}\n", false), "\"v2\""));
  const std::string endless = answer_to(halves, std::string(2 * watcher::question_max, 'x'), false);
  CHECK(endless.size() < 4096);
  CHECK(contains(answer_to(halves, identify + "\"}\n", false), "\"v2\""));
  CHECK(halves.ran() == "");
}

TEST_CASE("a thousand connections that say nothing keep nobody out") {
  Halves halves;
  std::vector<probes::Descriptor> silent;
  for (int i = 0; i < 1000; ++i) {
    probes::Descriptor one = connected(halves.socket());
    if (one.is_open()) silent.push_back(std::move(one));
    halves.io.restart();
    halves.io.poll();
  }
  CHECK(silent.size() > 900);
  Question question;
  question.service = rules::ServiceName("web");
  CHECK(halves.ask(question).read.has_value());
  silent.clear();
}

TEST_CASE("the kernel says who asks, and only root and the watcher's user may") {
  if (::geteuid() != 0) return;
  Halves halves;
  ::chmod(halves.socket().c_str(), 0666);
  ::chmod(halves.folder.path.c_str(), 0755);
  constexpr uid_t nobody = 65534;
  REQUIRE(::seteuid(nobody) == 0);
  const probes::Descriptor asker = connected(halves.socket());
  REQUIRE(::seteuid(0) == 0);
  REQUIRE(asker.is_open());
  const std::string line = watcher::line_of(halves.step(0)) + "\n";
  CHECK(::send(asker.number(), line.data(), line.size(), MSG_NOSIGNAL) > 0);
  std::string said(4096, '\0');
  ssize_t count = -1;
  halves.run_until([&] {
    count = ::recv(asker.number(), said.data(), said.size(), 0);
    return count >= 0;
  });
  CHECK(contains(said, "user 65534 may not ask it"));
  CHECK(halves.ran() == "");
}

TEST_CASE("a watcher that has read another file is told so, unless the runner reads the same when it is asked to") {
  Halves halves;
  Question question;
  question.service = rules::ServiceName("web");
  halves.client = std::make_unique<watcher::RunnerClient>(halves.socket(), watcher::sha256_hex("another"));
  const RunnerReply reply = halves.ask(question);
  CHECK(reply.says == Says::other_config);
  CHECK(contains(reply.why, "has read another"));
  std::ofstream(halves.config_path(), std::ios::app) << "# changed\n";
  const std::string hash = watcher::sha256_hex(halves.text() + "# changed\n");
  halves.client = std::make_unique<watcher::RunnerClient>(halves.socket(), hash);
  CHECK(halves.ask(question).read.has_value());
}
