#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/parse/prometheus_text.hpp"
#include "require.hpp"

namespace {

struct Page {
  bool malformed = false;
  std::vector<rules::Reading> readings;
  rules::Unread unread;

  // Numbers by their bits, so that NaN equals NaN.
  friend bool operator==(const Page& a, const Page& b) {
    if (a.malformed != b.malformed || a.readings.size() != b.readings.size()) return false;
    if (a.unread.lines != b.unread.lines || a.unread.first != b.unread.first) return false;
    for (std::size_t i = 0; i < a.readings.size(); ++i) {
      const double x = a.readings[i].value;
      const double y = b.readings[i].value;
      if (*a.readings[i].series != *b.readings[i].series || !(x == y || (std::isnan(x) && std::isnan(y)))) return false;
    }
    return true;
  }
};

Page read(probes::PrometheusText& parser, std::string_view page, std::size_t piece_size) {
  parser.begin();
  while (!page.empty() && parser.push(page.substr(0, piece_size))) {
    page.remove_prefix(std::min(piece_size, page.size()));
  }
  Page result;
  result.malformed = parser.finish().has_value();
  if (!result.malformed) result.unread = parser.unread();
  result.readings = parser.take();
  return result;
}

std::vector<rules::Selector> wanted() {
  std::vector<rules::Selector> keep(2);
  keep[0].name = "m";
  keep[1].name = "http_requests_total";
  return keep;
}

}  // namespace

// Pieces of any size and what the parser remembers of other pages change nothing in what a page says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string input(data + 1, data + size);
  const std::string_view page = input;
  const std::size_t piece_size = 1 + data[0] % 32U;
  probes::PrometheusText parser(wanted());
  const Page whole = read(parser, page, page.size() + 1);
  require(!whole.malformed || whole.readings.empty(), "a malformed page gives no readings");
  require(read(parser, page, piece_size) == whole, "pieces and a warm memory change nothing");
  read(parser, page.substr(page.size() / 2), piece_size);
  require(read(parser, page, piece_size) == whole, "another page in between changes nothing");
  return 0;
}
