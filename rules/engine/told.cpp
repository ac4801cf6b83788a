#include "rules/engine/told.hpp"

#include <chrono>
#include <cstdio>

#include "rules/base/parse.hpp"
#include "rules/conditions/unit.hpp"

namespace rules {

std::string told(Duration d) {
  using namespace std::chrono;
  const bool is_long = abs(d) >= std::chrono::seconds(10);
  return to_string(is_long ? Duration(round<std::chrono::seconds>(d)) : Duration(round<milliseconds>(d)));
}

std::string about(Duration d) {
  const auto whole = std::chrono::round<std::chrono::seconds>(d);
  return whole < std::chrono::seconds(1) ? "less than a second" : told(Duration(whole));
}

std::string told(Instant t) {
  using namespace std::chrono;
  const sys_seconds utc{floor<std::chrono::seconds>(t.time_since_epoch())};
  const auto day = floor<days>(utc);
  const year_month_day date{day};
  const hh_mm_ss time{utc - day};
  char out[48];
  std::snprintf(out, sizeof out, "%04d-%02u-%02u %02d:%02d:%02d UTC", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return out;
}

std::string told(double value) { return in_unit(value, {}); }

}  // namespace rules
