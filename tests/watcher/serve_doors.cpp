#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <filesystem>

#include "somebody_else.hpp"
#include "test_folder.hpp"
#include "watcher/serve/bind.hpp"
#include "watcher/serve/doors.hpp"

namespace {

namespace fs = std::filesystem;
namespace asio = boost::asio;
using asio::ip::tcp;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What `check` says, which is what `run` refuses with.
std::string refused(const std::string& path) {
  asio::io_context io;
  const std::string why = watcher::why_not_control(path);
  const auto bound = watcher::bind_control(io.get_executor(), path, "");
  const auto* const wrong = std::get_if<std::string>(&bound);
  CHECK((wrong == nullptr ? "" : *wrong) == why);
  return why;
}

std::string folder_in(const TestFolder& folder, mode_t mode) {
  std::string path = folder.file("run");
  REQUIRE(fs::create_directory(path));
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  return path;
}

}  // namespace

TEST_CASE("a control socket whose way others can write is refused: they could answer in our place") {
  const TestFolder folder;
  for (const mode_t mode : {mode_t{0777}, mode_t{01777}, mode_t{0772}}) {
    CAPTURE(mode);
    const std::string run = folder_in(folder, mode);
    CHECK(contains(refused(run + "/control.sock"), "can be written by other users"));
    fs::remove_all(run);
  }
  const std::string open = folder_in(folder, 0777);
  REQUIRE(fs::create_directory(open + "/own"));
  CHECK(contains(refused(open + "/own/control.sock"), open + " can be written by other users"));
  REQUIRE(::chmod(open.c_str(), 0755) == 0);
  CHECK(refused(open + "/own/control.sock") == "");
  CHECK(refused(open + "/made/control.sock") == "");
}

TEST_CASE("a link of another user on the way to the control socket is refused") {
  if (!can_be_somebody_else()) return;
  const TestFolder folder;
  const std::string run = folder_in(folder, 0755);
  fs::create_directory_symlink(run, folder.file("link"));
  give_to_nobody(folder.file("link"));
  CHECK(contains(refused(folder.file("link") + "/control.sock"), "belongs to another user"));
}

TEST_CASE("a control socket that could not be made is foretold") {
  const TestFolder folder;
  CHECK(contains(refused(folder.file("a/b/control.sock")), folder.file("a") + " is not there; make it"));
  const std::string run = folder_in(folder, 0755);
  fs::create_directory(run + "/control.sock");
  CHECK(contains(refused(run + "/control.sock"), "something that is not a socket is there"));
  CHECK(contains(refused("/proc/x"), "/proc is the kernel's, and keeps no files"));
  CHECK(refused("/sys/rollbackd/control.sock") != "");
  CHECK(contains(refused(run + "/own/"), "that is the name of a folder"));
}

TEST_CASE(
    "an address that another program listens on, or that is not ours, is foretold, and not while a watcher runs") {
  const TestFolder folder;
  asio::io_context io;
  tcp::acceptor other(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  watcher::WatcherSection section;
  section.control = folder.file("control.sock");
  section.listen = "127.0.0.1:" + std::to_string(other.local_endpoint().port());
  CHECK(contains(watcher::why_not_listen(section), "Address already in use"));
  {
    const auto running = watcher::bind_control(io.get_executor(), section.control, "");
    REQUIRE(std::holds_alternative<watcher::ControlSocket>(running));
    CHECK(watcher::why_not_listen(section) == "");
  }
  other.close();
  CHECK(watcher::why_not_listen(section) == "");
  section.listen = "192.0.2.1:9877";
  CHECK(contains(watcher::why_not_listen(section), "Cannot assign requested address"));
  section.listen = "off";
  CHECK(watcher::why_not_listen(section) == "");
}
