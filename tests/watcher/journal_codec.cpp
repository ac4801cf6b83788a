#include <doctest/doctest.h>

#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/pfr/tuple_size.hpp>
#include <limits>

#include "watcher/journal/codec.hpp"
#include "watcher/journal/fields.hpp"

namespace {

namespace describe = boost::describe;

template <class T>
concept Described = std::is_class_v<T> && describe::has_describe_members<T>::value;
template <class T>
using Fields = describe::describe_members<T, describe::mod_public>;

// Sets everything to something that is not its default, and every time to something else.
struct Filler {
  int next = 1;

  void fill(bool& value) { value = !value; }
  template <class Integer>
  requires std::is_integral_v<Integer>
  void fill(Integer& value) { value = static_cast<Integer>(next++ * 1000); }
  void fill(double& value) { value = 0.1 * next++; }
  void fill(std::string& value) { value = "text \"" + std::to_string(next++) + "\"\n\x01\xff ü"; }
  template <class Meaning>
  void fill(rules::Name<Meaning>& value) {
    fill(value.text);
  }
  void fill(rules::Duration& value) { value = rules::Duration(1'800'000'000'000'000'001 + next++); }
  void fill(rules::Instant& value) { value = rules::Instant(rules::Duration(1'800'000'000'000'000'001 + next++)); }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void fill(Enum& value) { value = static_cast<Enum>(static_cast<int>(value) == 0 ? 1 : 0); }
  template <class T>
  void fill(std::optional<T>& value) {
    fill(value.emplace());
  }
  template <class T>
  void fill(std::vector<T>& values) {
    fill(values.emplace_back());
    fill(values.emplace_back());
  }
  template <class T>
  void fill(std::map<std::string, T>& values) {
    fill(values["first"]);
    fill(values["sec\"ond"]);
  }
  template <Described T>
  void fill(T& record) {
    boost::mp11::mp_for_each<Fields<T>>([&](auto field) { fill(record.*field.pointer); });
  }
};

template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}
template <Described T>
bool same(const T& a, const T& b);
template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const T& x, const T& y) { return same(x, y); });
}
template <Described T>
bool same(const T& a, const T& b) {
  bool equal = true;
  boost::mp11::mp_for_each<Fields<T>>([&](auto field) {
    const bool field_equal = same(a.*field.pointer, b.*field.pointer);
    if (!field_equal) MESSAGE("differs: ", field.name);
    equal = equal && field_equal;
  });
  return equal;
}

template <class T>
void check_round_trip(const char* name) {
  CAPTURE(name);
  T record;
  Filler().fill(record);
  const std::string text = watcher::encode(record);
  const std::optional<T> back = watcher::decode<T>(text);
  REQUIRE(back);
  CHECK(same(*back, record));
  CHECK_FALSE(watcher::encode(T{}) == text);
}

template <class T>
void check_complete(const char* name, std::size_t left_out = 0) {
  CAPTURE(std::string(name));
  CHECK(boost::mp11::mp_size<Fields<T>>::value + left_out == boost::pfr::tuple_size_v<T>);
}

// A value that is left out of the list would be written without a name, and its record not be read any more.
template <class Enum>
void check_has_no_gap(const char* name) {
  CAPTURE(name);
  int next = 0;
  boost::mp11::mp_for_each<describe::describe_enumerators<Enum>>(
      [&](auto listed) { CHECK(static_cast<int>(listed.value) == next++); });
}

}  // namespace

TEST_CASE("no value of an enumeration is forgotten in the journal's lists") {
  check_has_no_gap<rules::Verdict>("Verdict");
  check_has_no_gap<rules::Cause>("Cause");
  check_has_no_gap<rules::Severity>("Severity");
  check_has_no_gap<rules::RuleState>("RuleState");
  check_has_no_gap<rules::Standing>("Standing");
  check_has_no_gap<rules::RollbackPolicy>("RollbackPolicy");
  check_has_no_gap<rules::FuseUse>("FuseUse");
  check_has_no_gap<rules::Outcome>("Outcome");
  check_has_no_gap<rules::IncidentPhase>("IncidentPhase");
  check_has_no_gap<rules::PlanSection>("PlanSection");
  check_has_no_gap<rules::LaterEnd>("LaterEnd");
  check_has_no_gap<rules::StepStatus>("StepStatus");
  check_has_no_gap<rules::Stage>("Stage");
}

TEST_CASE("no field of a record is forgotten in the journal's field lists") {
  check_complete<rules::Measured>("Measured");
  check_complete<rules::Comparison>("Comparison");
  check_complete<rules::Segment>("Segment");
  check_complete<rules::SpanRecord>("SpanRecord");
  check_complete<rules::LedgerRecord>("LedgerRecord");
  check_complete<rules::ServiceRecord>("ServiceRecord");
  check_complete<rules::FuseRecord>("FuseRecord");
  check_complete<rules::JoinedRule>("JoinedRule");
  check_complete<rules::TimelineEntry>("TimelineEntry");
  check_complete<rules::IncidentRecord>("IncidentRecord");
  check_complete<rules::IncidentTimes>("IncidentTimes");
  check_complete<rules::LaterCheck>("LaterCheck");
  check_complete<rules::PendingMark>("PendingMark");
  check_complete<rules::StepId>("StepId");
  check_complete<rules::StepRecord>("StepRecord");
  check_complete<rules::StepContext>("StepContext");
  check_complete<rules::Tell>("Tell", 1);  // what it lasts of is told anew after a start
}

TEST_CASE("every record comes back from the journal's text as it was, with every field set") {
  check_round_trip<rules::LedgerRecord>("LedgerRecord");
  check_round_trip<rules::ServiceRecord>("ServiceRecord");
  check_round_trip<rules::FuseRecord>("FuseRecord");
  check_round_trip<rules::IncidentRecord>("IncidentRecord");
  check_round_trip<rules::StepRecord>("StepRecord");
  check_round_trip<rules::SpanRecord>("SpanRecord");
  check_round_trip<rules::Tell>("Tell");
}

TEST_CASE("numbers at the edges come back from the journal's text exactly") {
  rules::LedgerRecord record;
  record.baselines = {{"tenth", 0.1},
                      {"ugly", 0.1 + 0.2},
                      {"tiny", std::numeric_limits<double>::denorm_min()},
                      {"largest", std::numeric_limits<double>::max()},
                      {"infinite", std::numeric_limits<double>::infinity()}};
  record.appeared = rules::Instant::max();
  record.last_seen = rules::Instant::min();
  const auto back = watcher::decode<rules::LedgerRecord>(watcher::encode(record));
  REQUIRE(back);
  CHECK(back->baselines == record.baselines);
  CHECK(back->appeared == record.appeared);
  CHECK(back->last_seen == record.last_seen);

  rules::StepRecord step;
  step.id.step = rules::lock_step;
  const auto step_back = watcher::decode<rules::StepRecord>(watcher::encode(step));
  REQUIRE(step_back);
  CHECK(step_back->id.step == rules::lock_step);
}

TEST_CASE("unknown fields in the journal's text are ignored and missing ones keep their defaults") {
  const auto record = watcher::decode<rules::FuseRecord>(R"({"service":"web","invented_later":{"a":[1]},"at":7})");
  REQUIRE(record);
  CHECK(record->service.text == "web");
  CHECK(record->at == rules::Instant(rules::Duration(7)));
  CHECK(record->use == rules::FuseUse::mutated);
  CHECK(record->incident.empty());
}

TEST_CASE("a text that is not what a record can be is refused and not guessed at") {
  CHECK_FALSE(watcher::decode<rules::FuseRecord>(""));
  CHECK_FALSE(watcher::decode<rules::FuseRecord>("[]"));
  CHECK_FALSE(watcher::decode<rules::FuseRecord>(R"({"service":"web")"));
  CHECK_FALSE(watcher::decode<rules::FuseRecord>(R"({"service":7})"));
  CHECK_FALSE(watcher::decode<rules::FuseRecord>(R"({"use":"invented"})"));
  CHECK_FALSE(watcher::decode<rules::FuseRecord>(R"({"at":"soon"})"));
  CHECK_FALSE(watcher::decode<rules::LedgerRecord>(R"({"switches_away":99999999999})"));
  CHECK_FALSE(watcher::decode<rules::LedgerRecord>(R"({"baselines":{"p95":"0.2x"}})"));
}

TEST_CASE("a revision that a version without deployments' starts wrote is read, and its deployment is unknown") {
  const auto record = watcher::decode<rules::LedgerRecord>(
      R"({"service":"web","revision":"v2","standing":"candidate","appeared":1795226584000000000,)"
      R"("last_seen":1795226594000000000,"adopted":false,"baked_ns":5,"policy":"ask","schema":"41",)"
      R"("backup":"/b/1.dump","baselines":{"p95":"0.2"},"collected":{},"switches_away":1,"preexisting":["slow"]})");
  REQUIRE(record);
  CHECK(record->backup == "/b/1.dump");
  CHECK(record->policy == rules::RollbackPolicy::ask);
  CHECK_FALSE(record->deploy_began);
  CHECK_FALSE(record->deploy_ended);
}

TEST_CASE("an incident that a version without times wrote is read, and says that they were not kept") {
  const auto record = watcher::decode<rules::IncidentRecord>(
      R"({"id":"20261121-020304-web-slow","service":"web","rules":[{"rule":"slow","severity":"p1",)"
      R"("joined":1795226584000000000,"evidence":[],"bad_ns":300000000000,"for_ns":300000000000,"samples":61}],)"
      R"("severity":"p1","opened":1795226584000000000,"closed":null,"outcome":null,"phase":"acting","timeline":[]})");
  REQUIRE(record);
  CHECK_FALSE(record->times.counted_until);
  CHECK_FALSE(record->rules.front().bad_since);
  CHECK(record->later.empty());
}
