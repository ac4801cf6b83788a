#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "probes/parse/exec_output.hpp"
#include "probes/parse/nagios.hpp"

namespace {

using probes::ExecFormat;

std::string text_of(const std::vector<rules::Reading>& readings) {
  std::string out;
  for (const rules::Reading& reading : readings) {
    std::string value = std::to_string(reading.value);
    out += rules::to_string(*reading.series) + "=" + value + " ";
  }
  return out;
}

std::string performance(const std::string& data) { return text_of(probes::parse_nagios("OK |" + data).readings); }

// up, the fault's kind, the readings.
std::string answer(const probes::ExecProbe& probe, int exit_code, const std::string& out, bool cut = false) {
  probes::ExecOutput output(probe);
  const probes::ExecAnswer answer = output.read(exit_code, out, cut);
  CHECK(answer.fault.has_value() == (answer.up != rules::Up::up));
  std::string text(to_string(answer.up));
  if (answer.fault) text += " " + std::string(to_string(answer.fault->kind));
  return text + ": " + text_of(answer.readings);
}

probes::ExecProbe probe(ExecFormat format, std::map<std::string, std::string> values = {}) {
  probes::ExecProbe result;
  result.format = format;
  result.values = std::move(values);
  return result;
}

}  // namespace

TEST_CASE("performance data of a plugin becomes readings in base units") {
  CHECK(performance("time=0.25s;1;2;0;10") == "time=0.250000 ");
  CHECK(performance("time=250ms a=3us") == "time=0.250000 a=0.000003 ");
  CHECK(performance("used=2KB free=1.5MB all=1GB b=7B") ==
        "used=2048.000000 free=1572864.000000 all=1073741824.000000 b=7.000000 ");
  CHECK(performance("load=5%;80;90") == "load=0.050000 ");
  CHECK(performance("packets=12c x=-3 y=1e3 temp=21C") ==
        "packets=12.000000 x=-3.000000 y=1000.000000 temp=21.000000 ");
}

TEST_CASE("a plugin's label that is no identifier stands in the label of its field") {
  CHECK(performance("'/var'=2") == "_var{label=\"/var\"}=2.000000 ");
  CHECK(performance("'used space'=2 'it''s'=3") ==
        "used_space{label=\"used space\"}=2.000000 it_s{label=\"it's\"}=3.000000 ");
  CHECK(performance("/=1 /tmp=2") == "_{label=\"/\"}=1.000000 _tmp{label=\"/tmp\"}=2.000000 ");
  CHECK(performance("5min=1") == "_5min{label=\"5min\"}=1.000000 ");
}

TEST_CASE("performance data that is malformed or undetermined is left out, the rest is kept") {
  CHECK(performance("a=U b=1") == "b=1.000000 ");
  CHECK(performance("a= b=1") == "b=1.000000 ");
  CHECK(performance("a=x b=1 =2 c=3") == "b=1.000000 c=3.000000 ");
  CHECK(performance("a=1,5s b=2") == "a=1.000000 b=2.000000 ");
  CHECK(performance("'a=1 b=2").empty());
  CHECK(performance("a=nan b=inf c=2").find("c=2.000000 ") != std::string::npos);
  CHECK(performance("a").empty());
  CHECK(performance("").empty());
  CHECK(performance("a=1 a=2") == "a=nan ");
}

TEST_CASE("performance data may go on in the further lines of a plugin's output") {
  const probes::NagiosOutput output =
      probes::parse_nagios("DISK OK - free | /=2MB;5\nlong text\nmore | 'a b'=3\nc=4\n");
  CHECK(output.text == "DISK OK - free");
  CHECK(text_of(output.readings) == "_{label=\"/\"}=2097152.000000 a_b{label=\"a b\"}=3.000000 c=4.000000 ");
  CHECK(probes::parse_nagios("just text").text == "just text");
  CHECK(probes::parse_nagios("").text.empty());
}

TEST_CASE("so much performance data is read and not more") {
  std::string out = "OK |";
  for (std::size_t i = 0; i < probes::nagios_values_max + 1; ++i) out += " v" + std::to_string(i) + "=1";
  CHECK(probes::parse_nagios(out).readings.size() == probes::nagios_values_max);
}

TEST_CASE("a plugin's exit code is up for 0 and 1, down for 2, unknown for 3 and beyond") {
  CHECK(answer(probe(ExecFormat::nagios), 0, "OK | a=1") == "up: a=1.000000 state=0.000000 ");
  CHECK(answer(probe(ExecFormat::nagios), 1, "WARNING | a=1") == "up: a=1.000000 state=1.000000 ");
  CHECK(answer(probe(ExecFormat::nagios), 2, "CRITICAL | a=1") == "down refused: a=1.000000 state=2.000000 ");
  CHECK(answer(probe(ExecFormat::nagios), 3, "UNKNOWN") == "unknown not_measurable: state=3.000000 ");
  CHECK(answer(probe(ExecFormat::nagios), 127, "") == "unknown not_measurable: ");
}

TEST_CASE("a command's exit code is evidence: 0 is up, anything else is down") {
  CHECK(answer(probe(ExecFormat::exit), 0, "whatever") == "up: exit_code=0.000000 ");
  CHECK(answer(probe(ExecFormat::exit), 7, "") == "down refused: exit_code=7.000000 ");
  for (const ExecFormat format : {ExecFormat::number, ExecFormat::json, ExecFormat::regex, ExecFormat::prometheus}) {
    CHECK(answer(probe(format), 1, "5") == "down refused: ");
  }
  probes::ExecOutput output(probe(ExecFormat::exit));
  CHECK(output.read(7, "no\x1B such host\nsecond", false).fault->what == "exited with 7: no? such host");
}

TEST_CASE("a number is read from a command's output, and nothing else than a number") {
  CHECK(answer(probe(ExecFormat::number), 0, " 42.5\n") == "up: value=42.500000 ");
  for (const char* const out : {"", "42 apples", "forty", "1 2", "0x10"}) {
    INFO(out);
    CHECK(answer(probe(ExecFormat::number), 0, out) == "unknown parse: ");
  }
}

TEST_CASE("json and regex formats give one reading for each of their values, or a parse fault") {
  const probes::ExecProbe json = probe(ExecFormat::json, {{"waiting", "/q/0"}, {"done", "/done"}});
  CHECK(answer(json, 0, R"({"q":[3],"done":true})") == "up: done=1.000000 waiting=3.000000 ");
  CHECK(answer(json, 0, R"({"q":[3]})") == "unknown parse: ");
  CHECK(answer(json, 0, "{") == "unknown parse: ");
  const probes::ExecProbe regex =
      probe(ExecFormat::regex, {{"hits", R"(keyspace_hits:(\d+))"}, {"ratio", R"(ratio=(\S+))"}});
  CHECK(answer(regex, 0, "a\r\nkeyspace_hits:12\r\nratio=0.5 keyspace_hits:13") ==
        "up: hits=12.000000 ratio=0.500000 ");
  CHECK(answer(regex, 0, "keyspace_hits:12") == "unknown parse: ");
  CHECK(answer(regex, 0, "keyspace_hits:12 ratio=high") == "unknown parse: ");
}

TEST_CASE("a Prometheus page may come from a command") {
  probes::ExecProbe page = probe(ExecFormat::prometheus);
  rules::Selector wanted;
  wanted.name = "jobs";
  page.keep.push_back(wanted);
  CHECK(answer(page, 0, "jobs{state=\"done\"} 3\nother 1\n") == "up: jobs{state=\"done\"}=3.000000 ");
  CHECK(answer(page, 0, "jobs three\n") == "unknown parse: ");
}

TEST_CASE("output that was cut is not read where a part would be a wrong value") {
  CHECK(answer(probe(ExecFormat::number), 0, "42", true) == "unknown too_large: ");
  CHECK(answer(probe(ExecFormat::exit), 0, "42", true) == "up: exit_code=0.000000 ");
  CHECK(answer(probe(ExecFormat::nagios), 0, "OK", true) == "up: state=0.000000 ");
}
