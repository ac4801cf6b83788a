#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "probes/config.hpp"
#include "rules/base/fault.hpp"
#include "rules/base/series.hpp"

namespace probes {

// What a command's end and output mean.
struct ExecAnswer {
  rules::Up up = rules::Up::unknown;
  std::optional<rules::Fault> fault;  // set exactly when up is not Up::up
  std::vector<rules::Reading> readings;
};

// Reads the output of an exec probe's command, in the format that the probe says.
//   exit        reading exit_code
//   number      the output is one number: reading value
//   json        `values`: field -> JSON pointer of a number
//   regex       `values`: field -> RE2 whose one group is a number; the first match counts
//   prometheus  the series that `keep` wants
//   nagios      reading state (0 to 3) and the performance data, see nagios.hpp
// An exit code other than 0 is evidence (FaultKind::refused), for nagios 2 is, and 3 or beyond is
// not_measurable. Output that cannot be read after exit 0 is FaultKind::parse. Keeps compiled patterns and
// series between polls.
class ExecOutput {
 public:
  explicit ExecOutput(const ExecProbe& probe);
  ~ExecOutput();
  ExecOutput(ExecOutput&&) noexcept;
  ExecOutput& operator=(ExecOutput&&) noexcept;

  // `out` is standard output alone; `cut` when some of it was dropped: only exit and nagios can do with that.
  ExecAnswer read(int exit_code, std::string_view out, bool cut);
  // The most bytes that the values of a JSON document may take.
  void set_room(std::size_t bytes);
  // About how many bytes of memory are kept between polls; and keeps none of them any more.
  std::size_t held() const;
  void forget();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace probes
