#include <doctest/doctest.h>

#include <boost/asio/post.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "probes/net/task_group.hpp"
#include "serve_support.hpp"
#include "test_folder.hpp"
#include "watcher/serve/client.hpp"
#include "watcher/serve/server.hpp"

using namespace serve_test;
using watcher::ApiReply;

namespace asio = boost::asio;

TEST_CASE("a control socket that was removed or replaced is made anew once nothing stands in its way, and answers") {
  const TestFolder folder;
  watcher::WatcherSection section;
  section.listen = "off";
  section.control = folder.file("own/control.sock");
  asio::io_context io;
  FakeHost host;
  watcher::Metrics metrics;
  watcher::Server server(io.get_executor(), host, metrics);
  REQUIRE(server.listen(section) == "");
  probes::TaskGroup tasks(io.get_executor());
  tasks.spawn("server", server.serve());
  io.poll();
  std::filesystem::remove(section.control);
  std::ofstream(section.control) << "another's";
  CHECK(server.reach_again().find("something that is not a socket is there") != std::string::npos);
  std::filesystem::remove(section.control);
  std::filesystem::permissions(folder.file("own"), std::filesystem::perms::all);
  CHECK(server.reach_again().find("can be written by other users") != std::string::npos);
  std::filesystem::permissions(folder.file("own"), std::filesystem::perms::owner_all);
  CHECK(server.why_not_reached() != "");
  CHECK(server.reach_again() == "");
  CHECK(server.why_not_reached() == "");
  CHECK((std::filesystem::status(section.control).permissions() & std::filesystem::perms::others_all) ==
        std::filesystem::perms::none);
  std::thread asking([&] {
    CHECK(std::holds_alternative<ApiReply>(watcher::call(section.control, trusted("GET", "/healthz"))));
    asio::post(io, [&] { server.close(); });
  });
  io.run();
  asking.join();
}
