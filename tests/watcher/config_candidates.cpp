#include <doctest/doctest.h>

#include "config_files.hpp"

namespace {

std::string signal_with(const std::string& keys) { return with_service("[signal.s]\nprobe = 'app'\n" + keys); }

std::string findings_of(const std::string& keys) { return findings_text(load_text(signal_with(keys))); }

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("candidates of a signal may have a unit and a rank of their own") {
  const watcher::Config ratios =
      loaded(signal_with("ratio = [['a{code=\"500\"}', 'a'], { errors = 'b{code=\"500\"}', all = 'b', rank = 1 }]\n"));
  const auto& pairs = std::get<std::vector<rules::RatioOf>>(ratios.core.signals.front().of);
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].rank == 0);
  CHECK(pairs[1].rank == 1);
  CHECK(pairs[1].denominator.name == "b");
  const watcher::Config times = loaded(signal_with(
      "quantile = 0.9\nof = ['a', { of = 'b', unit = 'us' }, { of = 'c_ms', unit = \"ms\", rank = -1 }]\n"));
  const auto& families = std::get<std::vector<rules::QuantileOf>>(times.core.signals.front().of);
  REQUIRE(families.size() == 3);
  CHECK_FALSE(families[0].unit.has_value());
  CHECK(families[1].unit == rules::Unit::microseconds);
  CHECK(families[2].unit == rules::Unit::milliseconds);
  CHECK(families[2].rank == -1);
  CHECK(families[2].quantile == doctest::Approx(0.9));
}

TEST_CASE("a candidate with mistakes is refused with its place and what it may have") {
  CHECK(has(findings_of("ratio = [{ errors = 'a' }]\n"), "signal.s.ratio: expected { errors = '...', all = '...' }"));
  CHECK(has(findings_of("ratio = [{ errors = 'a', all = 'a', unit = 'ms' }]\n"),
            "signal.s.ratio.unit: there is no such key; a candidate has errors, all and rank"));
  CHECK(has(findings_of("ratio = [{ errors = 'a', all = 'a{', rank = 0 }]\n"), "signal.s.ratio: "));
  CHECK(has(findings_of("quantile = 0.9\nof = [{ unit = 'ms' }]\n"),
            "signal.s.of: expected { of = '...', unit = \"ms\" }"));
  CHECK(has(findings_of("quantile = 0.9\nof = [{ of = 'a', unit = 'min' }]\n"), "signal.s.of.unit: expected \"s\""));
  CHECK(has(findings_of("quantile = 0.9\nof = [{ of = 'a', rank = 'high' }]\n"),
            "signal.s.of.rank: expected a whole number"));
  CHECK(has(findings_of("quantile = 0.9\nof = [{ of = 'a', rank = 101 }]\n"),
            "signal.s.of.rank: expected a whole number"));
  CHECK(has(findings_of("quantile = 0.9\nof = ['a_ms', { of = 'b_ms', unit = 'ms' }]\n"),
            "a_ms seems to be in milliseconds"));
  CHECK_FALSE(has(findings_of("quantile = 0.9\nof = ['a', { of = 'b_ms', unit = 'ms' }]\n"), "milliseconds"));
}
