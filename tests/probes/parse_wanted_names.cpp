#include "probes/parse/wanted_names.hpp"

#include <doctest/doctest.h>

#include "probes/parse/prometheus_text.hpp"

namespace {

rules::Selector selector(const std::string& text) { return std::get<rules::Selector>(rules::parse_selector(text)); }

}  // namespace

TEST_CASE("a series is wanted by its name, by a pattern of names, or by both with other labels") {
  const probes::WantedNames wanted({selector("hits{code=\"500\"}"), selector(R"({__name__=~".*its",code="200"})")});
  CHECK(wanted.may_want("hits"));
  CHECK(wanted.may_want("visits"));
  CHECK(wanted.may_want("process_start_time_seconds"));
  CHECK_FALSE(wanted.may_want("hit"));
  CHECK(wanted.wants({"hits", {{"code", "500"}}}));
  CHECK(wanted.wants({"hits", {{"code", "200"}}}));
  CHECK_FALSE(wanted.wants({"hits", {{"code", "404"}}}));
  CHECK(wanted.wants({"visits", {{"code", "200"}}}));
  CHECK_FALSE(wanted.wants({"visits", {{"code", "500"}}}));
}

TEST_CASE("a page yields what a pattern of names selects, quoted names included, and skips the rest") {
  probes::PrometheusText page({selector(R"({__name__=~"a.+_total",__name__!~".*b.*"})")});
  for (int i = 0; i < 2; ++i) {
    page.begin();
    page.push("aa_total 1\nabc_total 2\n{\"a.c_total\"} 3\na_sum 4\na_sum{x=\"y\"} 5\nac_total{x=\"y\"} 6\n");
    REQUIRE_FALSE(page.finish());
    std::string found;
    for (const rules::Reading& reading : page.take()) found += rules::to_string(*reading.series) + " ";
    CHECK(found == "aa_total {\"a.c_total\"} ac_total{x=\"y\"} ");
  }
}
