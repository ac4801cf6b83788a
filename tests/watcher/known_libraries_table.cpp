#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "known_libraries_pages.hpp"
#include "probes/parse/prometheus_series.hpp"
#include "watcher/config/known_libraries.hpp"

namespace {

using watcher::KnownLibrary;

rules::SeriesKey key_of(std::string series, const std::string& outcome) {
  for (const auto& [what, with] : {std::pair<std::string, std::string>("$S", outcome), {"$P", "/a"}, {"$L", "1"}}) {
    if (const std::size_t at = series.find(what); at != std::string::npos) series.replace(at, what.size(), with);
  }
  auto parsed = probes::parse_series(series);
  REQUIRE_MESSAGE(std::holds_alternative<rules::SeriesKey>(parsed), series);
  return std::get<rules::SeriesKey>(std::move(parsed));
}

rules::Selector selector_of(std::string_view text) {
  auto parsed = rules::parse_selector(text);
  REQUIRE_MESSAGE(std::holds_alternative<rules::Selector>(parsed), std::string(text));
  return std::get<rules::Selector>(std::move(parsed));
}

bool has_label(const rules::SeriesKey& key, std::string_view name, const std::string& value) {
  return std::any_of(key.labels.begin(), key.labels.end(),
                     [&](const rules::Label& label) { return label.name == name && label.value == value; });
}

bool counts_on(const KnownLibrary& library, const LibraryPage& page) {
  if (!selector_of(library.counts).matches(key_of(page.requests, page.ok))) return false;
  const rules::SeriesKey failed = key_of(page.requests, page.failed);
  if (library.failed == watcher::Failed::by_own_counter) return selector_of(library.label).matches(failed);
  return has_label(failed, library.label, page.failed);
}

bool times_on(const KnownLibrary& library, const LibraryPage& page) {
  if (page.times.empty()) return false;
  const double second = library.unit == rules::Unit::milliseconds   ? 1e3
                        : library.unit == rules::Unit::microseconds ? 1e6
                                                                    : 1;
  rules::SeriesKey key = key_of(page.times, "");
  if (key.name.ends_with("_bucket")) key.name.erase(key.name.size() - 7);
  return page.unit == second && selector_of(library.times).matches(key);
}

}  // namespace

TEST_CASE("each line of the table of known libraries says where it was looked up, and has a page in the tests") {
  const std::vector<LibraryPage> pages = all_pages();
  for (const KnownLibrary& library : watcher::known_libraries()) {
    CAPTURE(std::string(library.name));
    CAPTURE(std::string(library.counts));
    CAPTURE(std::string(library.label));
    CAPTURE(std::string(library.times));
    CHECK(library.source.find('.') != std::string_view::npos);
    CHECK((!library.counts.empty() || !library.times.empty()));
    const auto has_page = [&](const auto& is_on) {
      return std::any_of(pages.begin(), pages.end(),
                         [&](const LibraryPage& page) { return page.name == library.name && is_on(library, page); });
    };
    if (!library.counts.empty()) CHECK(has_page(counts_on));
    if (!library.times.empty()) CHECK(has_page(times_on));
  }
}

TEST_CASE("each page of the tests is of a known library") {
  std::set<std::string> known;
  for (const KnownLibrary& library : watcher::known_libraries()) known.emplace(library.name);
  for (const LibraryPage& page : all_pages()) {
    CAPTURE(page.name);
    CHECK(known.contains(page.name));
  }
}

TEST_CASE("the README lists the known libraries, no more and no less") {
  std::ifstream file(std::string(SOURCE_DIR) + "/README.md");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string begin = "<!-- known libraries -->";
  const std::size_t from = text.str().find(begin);
  const std::size_t to = text.str().find("<!-- end -->");
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  std::string list = text.str().substr(from + begin.size(), to - from - begin.size());
  std::replace(list.begin(), list.end(), '\n', ' ');
  std::set<std::string> listed;
  const std::string separator = " · ";
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(separator, at), list.size());
    std::string name = list.substr(at, end - at);
    name.erase(0, name.find_first_not_of(' '));
    name.erase(name.find_last_not_of(" .") + 1);
    listed.insert(name);
    at = end + separator.size();
  }
  std::set<std::string> known;
  for (const watcher::KnownLibrary& library : watcher::known_libraries()) known.emplace(library.name);
  CHECK(listed == known);
}
