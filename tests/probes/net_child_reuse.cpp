#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <string>

#include "probes/net/child.hpp"
#include "run_here.hpp"

TEST_CASE("commands that follow each other on one loop each end with their own exit code") {
  using namespace std::chrono_literals;
  // The loop reuses what it kept of a former child's descriptor, with an event that may still be under way.
  boost::asio::io_context loop;
  for (int code = 0; code < 200; ++code) {
    probes::ChildSpec spec;
    spec.argv = {"/bin/sh", "-c", "echo said; exit " + std::to_string(code)};
    spec.limit = 30s;
    const probes::ChildResult result = tests::run_on(loop, probes::run_child(std::move(spec)));
    REQUIRE(result.end == probes::ChildEnd::exited);
    REQUIRE(result.exit_code == code);
    REQUIRE(result.output_stdout == "said\n");
  }
}
