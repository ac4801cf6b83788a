#include <doctest/doctest.h>

#include <string>

#include "watcher/runner/wire.hpp"

// Each field of what crosses the wire has to come out as it went in: one that is forgotten there would be a default.

namespace {

using watcher::Question;
using watcher::RunnerReply;

rules::Instant at(int seconds) { return rules::Instant(std::chrono::seconds(seconds)); }

RunnerReply through(const RunnerReply& reply) {
  const auto read = watcher::reply_in(watcher::line_of(reply));
  REQUIRE(read.has_value());
  CHECK(watcher::line_of(reply).find('\n') == std::string::npos);
  return *read;
}

}  // namespace

TEST_CASE("what was read of a service crosses the wire whole") {
  RunnerReply reply;
  reply.read = rules::RevisionRead{rules::ServiceName("web"),
                                   at(1),
                                   at(2),
                                   rules::Revision("v1"),
                                   "error\n",
                                   true,
                                   true,
                                   "42",
                                   "by",
                                   "stopped",
                                   "label",
                                   "unfinished",
                                   rules::Revision("v0")};
  const rules::RevisionRead read = through(reply).read.value();
  CHECK(read.service.text == "web");
  CHECK(read.instances_differ);
  CHECK(read.started == at(1));
  CHECK(read.ended == at(2));
  CHECK(read.revision == rules::Revision("v1"));
  CHECK(read.error == "error\n");
  CHECK(read.instance_absent);
  CHECK(read.schema == "42");
  CHECK(read.by == "by");
  CHECK(read.stopped == "stopped");
  CHECK(read.label == "label");
  CHECK(read.unfinished == "unfinished");
  CHECK(read.broken_off == rules::Revision("v0"));
}

TEST_CASE("whether a service could be switched crosses the wire whole") {
  RunnerReply reply;
  reply.readiness = rules::ReadinessRead{rules::ServiceName("web"),
                                         at(3),
                                         true,
                                         "why",
                                         {{"main", rules::Revision("v1"), "not"}},
                                         "hand",
                                         {{rules::Revision("a"), rules::Revision("b")}},
                                         {{"git", "dirty"}}};
  const rules::ReadinessRead read = through(reply).readiness.value();
  CHECK(read.service.text == "web");
  CHECK(read.at == at(3));
  CHECK(read.ready);
  CHECK(read.reason == "why");
  REQUIRE(read.names.size() == 1);
  CHECK(read.names[0].name == "main");
  CHECK(read.names[0].revision.text == "v1");
  CHECK(read.names[0].why_not == "not");
  CHECK(read.by_hand == "hand");
  CHECK(read.alike == reply.readiness->alike);
  CHECK(read.drivers == reply.readiness->drivers);
}

TEST_CASE("what became of a step crosses the wire whole, bytes that are no text as well") {
  RunnerReply reply;
  reply.result =
      rules::StepResult{rules::StepStatus::timed_out, 7, "detail", std::string("\0\xff\x1b\n", 4), 9, true, true};
  const rules::StepResult result = through(reply).result.value();
  CHECK(result.status == rules::StepStatus::timed_out);
  CHECK(result.exit_code == 7);
  CHECK(result.detail == "detail");
  CHECK(result.output == std::string("\0\xff\x1b\n", 4));
  CHECK(result.output_dropped == 9);
  CHECK(result.nothing_begun);
  CHECK(result.unseen);
}

TEST_CASE("what a name means, lines, groups and a child cross the wire whole") {
  RunnerReply reply;
  reply.says = watcher::Says::started;
  reply.why = "why";
  reply.means = watcher::NameMeans{true, {rules::Revision("v1")}, "none"};
  reply.lines = {"one", "two"};
  reply.groups = {{rules::Revision("a"), rules::Revision("b")}};
  reply.asks_for_known = true;
  reply.text = "text";
  reply.child = watcher::ChildAtWork{42, std::chrono::minutes(3)};
  const RunnerReply read = through(reply);
  CHECK(read.says == watcher::Says::started);
  CHECK(read.why == "why");
  REQUIRE(read.means.has_value());
  CHECK(read.means->knows_names);
  CHECK(read.means->meant == reply.means->meant);
  CHECK(read.means->why_none == "none");
  CHECK(read.lines == reply.lines);
  CHECK(read.groups == reply.groups);
  CHECK(read.asks_for_known);
  CHECK(read.text == "text");
  REQUIRE(read.child.has_value());
  CHECK(read.child->pid == 42);
  CHECK(read.child->limit == std::chrono::minutes(3));
}

TEST_CASE("a reason that people gave passes as plain text, whatever is in it") {
  for (const std::string& reason :
       {std::string("errors\nfor 5m\t(50 %)"), std::string("\x1b[31mred\x07"), std::string("\xe2\x80\xae\xff"),
        std::string(3000, 'x'), std::string(1023, 'x') + "\xc3\xa4", std::string(900, '\xff')}) {
    Question question;
    question.asks = watcher::Asks::perform;
    question.step.incident = question.context.incident = rules::IncidentId("one");
    question.context.reason = watcher::plain_text(reason);
    CHECK(watcher::why_malformed(question) == "");
    const auto read = watcher::question_in(watcher::line_of(question));
    REQUIRE(read.has_value());
    CHECK(read->context.reason == question.context.reason);
  }
}
