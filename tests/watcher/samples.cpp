#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include "journal_support.hpp"
#include "watcher/samples/sample_files.hpp"
#include "watcher/samples/sample_text.hpp"

namespace {

using journal_support::at;

rules::Poll poll_at(double seconds, double value) {
  rules::Poll poll;
  poll.probe = rules::ProbeName("app");
  poll.instance = 1;
  poll.started = at(seconds);
  poll.ended = at(seconds);
  poll.up = rules::Up::up;
  const rules::SeriesKey total{"http_requests_total", {{"code", "500"}, {"route", "/a \"quoted\"\\path\n"}}};
  poll.readings.push_back({std::make_shared<const rules::SeriesKey>(total), value});
  const rules::SeriesKey duration{"duration", {}};
  poll.readings.push_back({std::make_shared<const rules::SeriesKey>(duration), 0.1 + 0.2});
  return poll;
}

std::string text_of(const rules::Poll& poll) {
  watcher::SampleText text;
  text.append(poll);
  return text.take();
}

}  // namespace

TEST_CASE("recorded polls come back with every label, value and time") {
  for (const double value :
       {0.0, -0.0, 200.0, 99999.0, 100000.0, -1.5, 1e300, 9007199254740993.0, HUGE_VAL, -HUGE_VAL}) {
    const rules::Poll poll = poll_at(12.345678, value);
    const auto polls = watcher::read_samples(text_of(poll));
    REQUIRE(polls.size() == 1);
    CHECK(polls[0].probe == poll.probe);
    CHECK(polls[0].instance == 1);
    CHECK(std::abs(rules::seconds(polls[0].ended - poll.ended)) < 2e-6);
    CHECK(polls[0].up == rules::Up::up);
    REQUIRE(polls[0].readings.size() == 2);
    CHECK(*polls[0].readings[0].series == *poll.readings[0].series);
    CHECK(polls[0].readings[0].value == value);
    CHECK(std::signbit(polls[0].readings[0].value) == std::signbit(value));
    CHECK(polls[0].readings[1].value == 0.1 + 0.2);
  }
}

TEST_CASE("a recorded length of time comes back as the same to the nanosecond, and is written no longer than that") {
  for (std::int64_t nanoseconds = 1; nanoseconds < 1'000'000'000'000; nanoseconds = nanoseconds * 7 + 3) {
    const double seconds = rules::seconds(std::chrono::nanoseconds(nanoseconds));
    const std::string text = text_of(poll_at(1, seconds));
    CHECK(watcher::read_samples(text).at(0).readings.at(0).value == seconds);
  }
  CHECK(text_of(poll_at(1, 0.000601974)).find("} 0.000601974 1800000001.000000\n") != std::string::npos);
  CHECK(text_of(poll_at(1, 2.5)).find("} 2.5 1800000001.000000\n") != std::string::npos);
}

TEST_CASE("a poll that found nothing up, or could not tell, comes back as that") {
  rules::Poll poll = poll_at(0, 1);
  poll.readings.clear();
  poll.up = rules::Up::down;
  CHECK(watcher::read_samples(text_of(poll)).at(0).up == rules::Up::down);
  poll.up = rules::Up::unknown;
  const auto unknown = watcher::read_samples(text_of(poll));
  CHECK(unknown.at(0).up == rules::Up::unknown);
  CHECK(unknown.at(0).fault.has_value());
}

TEST_CASE("NaN is recorded as NaN") {
  const auto polls = watcher::read_samples(text_of(poll_at(0, std::nan(""))));
  CHECK(std::isnan(polls.at(0).readings.at(0).value));
}

TEST_CASE("what a crash cut off, and what is not ours, is skipped and costs nothing else") {
  const std::string whole = text_of(poll_at(1, 5)) + text_of(poll_at(2, 6));
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const auto polls = watcher::read_samples(std::string_view(whole).substr(0, cut));
    CHECK(polls.size() <= 2);
    for (const rules::Poll& poll : polls) {
      for (const rules::Reading& reading : poll.readings) {
        const bool as_written = reading.value == 5 || reading.value == 6 || reading.value == 0.1 + 0.2;
        CHECK(as_written);
      }
    }
  }
  CHECK(watcher::read_samples("# EOF\nnot a line\n\n{}\n" + whole).size() == 2);
}

TEST_CASE("samples are kept over hours in compressed files, read back from a time on, and given up when old") {
  const journal_support::Folder folder;
  watcher::SampleFiles files(folder.path, std::chrono::hours(3));
  for (int minute = 0; minute < 6 * 60; minute += 10) {
    REQUIRE_FALSE(files.append(text_of(poll_at(minute * 60.0, minute)), at(minute * 60.0)));
  }
  const auto recent = files.read(at(340 * 60.0));
  REQUIRE(recent.size() == 2);
  CHECK(recent[0].readings.at(0).value == 340);
  const auto all = files.read(at(0));
  CHECK(all.front().readings.at(0).value > 0);     // the first hours are gone
  CHECK(all.front().readings.at(0).value <= 180);  // what is to be kept is there
  std::size_t compressed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path + "/samples")) {
    if (entry.path().extension() == ".zst") ++compressed;
  }
  CHECK(compressed >= 3);
}

TEST_CASE("promtool takes a finished file of recorded samples") {
  if (std::system("command -v promtool >/dev/null && command -v zstd >/dev/null") != 0) {
    MESSAGE("skipped: promtool or zstd is not installed");
    return;
  }
  const journal_support::Folder folder;
  watcher::SampleFiles files(folder.path, std::chrono::hours(24));
  REQUIRE_FALSE(files.append(text_of(poll_at(0, 1)) + text_of(poll_at(5, 2)), at(5)));
  REQUIRE_FALSE(files.append(text_of(poll_at(2 * 3600, 3)), at(2 * 3600)));
  const std::string unpack = "cd " + folder.path + " && zstd -qd samples/*.om.zst -o day.om";
  REQUIRE(std::system(unpack.c_str()) == 0);
  const std::string create =
      "cd " + folder.path + " && promtool tsdb create-blocks-from openmetrics day.om blocks >log 2>&1";
  CHECK(std::system(create.c_str()) == 0);
  CHECK_FALSE(std::filesystem::is_empty(folder.path + "/blocks"));
}

TEST_CASE("a poll that there is no room for is not recorded, and those after it are") {
  watcher::SampleText text;
  text.append(poll_at(0, 1), 1000);
  const std::size_t one = text.size();
  rules::Poll large = poll_at(5, 2);
  for (int i = 0; i < 1000; ++i) large.readings.push_back(large.readings.front());
  text.append(large, 1000);
  CHECK(text.size() == one);
  text.append(poll_at(10, 3), 1000);
  const auto polls = watcher::read_samples(text.take());
  REQUIRE(polls.size() == 2);
  CHECK(polls[1].readings.at(0).value == 3);
}

TEST_CASE("samples that take more memory than there is for them are not read") {
  const journal_support::Folder folder;
  watcher::SampleFiles files(folder.path, std::chrono::hours(3));
  std::string text;
  for (int i = 0; i < 1000; ++i) text += text_of(poll_at(i, i));
  REQUIRE_FALSE(files.append(text, at(1000)));
  CHECK(files.read(at(0), 10'000'000).size() == 1000);
  CHECK(files.read(at(0), 10'000).empty());
  CHECK(files.read(at(995), 10'000).size() == 5);
}

TEST_CASE("a file of samples whose end a crash cut is finished with its whole lines, however long they are") {
  const journal_support::Folder folder;
  watcher::SampleFiles files(folder.path, std::chrono::hours(24));
  rules::Poll poll = poll_at(0, 1);
  poll.readings.push_back(
      {std::make_shared<const rules::SeriesKey>(rules::SeriesKey{"m", {{"l", std::string(200'000, 'x')}}}), 7});
  const std::string whole = text_of(poll);
  REQUIRE_FALSE(files.append(whole + whole.substr(0, whole.size() - 10), at(0)));
  REQUIRE_FALSE(files.append(text_of(poll_at(2 * 3600, 3)), at(2 * 3600)));
  const auto polls = files.read(at(-1));
  REQUIRE(polls.size() == 3);
  CHECK(polls[0].readings.size() == poll.readings.size());
  CHECK(polls[0].readings.back().series->labels.at(0).value.size() == 200'000);
  CHECK(polls[2].readings.at(0).value == 3);
}
