#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drivers_support.hpp"
#include "probes/net/descriptor.hpp"
#include "probes/net/resolver.hpp"
#include "watcher/steps/performer.hpp"

namespace {

using namespace drivers_support;
using rules::StepStatus;
namespace fs = std::filesystem;

struct Dump {
  Folder folder;
  probes::Resolver resolver;
  std::string file = folder.path + "/dump";

  rules::StepResult run(const std::string& script, rules::Duration limit = 30s) {
    rules::Perform perform;
    perform.id.incident = rules::IncidentId("i-1");
    perform.step.what = rules::RunStep{{"/bin/sh", "-c", script}};
    perform.step.stdout_file = file;
    perform.step.timeout = limit;
    perform.context.incident = perform.id.incident;
    watcher::Performer performer(folder.path + "/incidents", resolver, {}, {});
    return run_here(performer.perform(std::move(perform), {}));
  }
  bool is_there(const std::string& ending) const { return fs::exists(file + ending); }
};

unsigned mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777U;
}

}  // namespace

TEST_CASE_FIXTURE(Dump,
                  "a step that fails leaves the earlier file of its stdout whole, and keeps what it wrote beside") {
  write(file, "the good dump of last week\n");
  const rules::StepResult failed = run("echo half a du; echo no space >&2; exit 1");
  CHECK(failed.status == StepStatus::failed);
  CHECK(failed.detail.find("exited with 1: no space; what it wrote is in " + file + ".failed, and " + file +
                           " stays as it was") != std::string::npos);
  CHECK(content(file) == "the good dump of last week\n");
  CHECK(content(file + ".failed") == "half a du\n");
  CHECK_FALSE(is_there(".partial"));
  CHECK(run("echo half; exec tail -f /dev/null", 200ms).status == StepStatus::timed_out);
  CHECK(content(file) == "the good dump of last week\n");
  CHECK(content(file + ".failed") == "half\n");
  CHECK(run("echo whole").status == StepStatus::succeeded);
  CHECK(content(file) == "whole\n");
}

TEST_CASE_FIXTURE(Dump, "a step that fails before it wrote anything leaves nothing beside") {
  CHECK(run("exit 1").detail.find("what it wrote") == std::string::npos);
  CHECK_FALSE(is_there(""));
  CHECK_FALSE(is_there(".failed"));
  CHECK_FALSE(is_there(".partial"));
}

TEST_CASE_FIXTURE(Dump, "of a long output that failed the beginning is kept, and that is told") {
  const rules::StepResult result = run("echo begin; head -c 20000000 /dev/zero; exit 1");
  CHECK(result.detail.find("the first 16 MiB of what it wrote are in " + file + ".failed") != std::string::npos);
  CHECK(fs::file_size(file + ".failed") == 16 * 1024 * 1024);
  CHECK(content(file + ".failed").starts_with("begin\n"));
  CHECK(run("head -c 16777216 /dev/zero; exit 1").detail.find("; what it wrote is in ") != std::string::npos);
}

TEST_CASE_FIXTURE(Dump, "until a step has ended its stdout's earlier file is whole") {
  write(file, "good\n");
  const rules::StepResult result = run("echo half; cat " + file + " >&2; cat " + file + ".partial >&2");
  CHECK(result.status == StepStatus::succeeded);
  CHECK(result.output == "good\nhalf\n");
}

TEST_CASE_FIXTURE(Dump, "a step's stdout is private, or keeps the mode and owner of the file that was there") {
  CHECK(run("echo new").status == StepStatus::succeeded);
  CHECK(mode_of(file) == 0600);
  fs::permissions(file, fs::perms(0640));
  const bool is_root = ::geteuid() == 0;
  if (is_root) REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);
  CHECK(run("echo newer").status == StepStatus::succeeded);
  CHECK(content(file) == "newer\n");
  CHECK(mode_of(file) == 0640);
  struct stat info {};
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK(info.st_uid == (is_root ? 65534 : ::geteuid()));
}

TEST_CASE_FIXTURE(Dump, "a step's stdout that is a link stays one, and leads to what was written") {
  fs::create_directory(folder.path + "/elsewhere");
  fs::create_symlink("elsewhere/today", file);
  CHECK(run("echo one").status == StepStatus::succeeded);
  CHECK(run("echo two").status == StepStatus::succeeded);
  CHECK(fs::is_symlink(file));
  CHECK(content(folder.path + "/elsewhere/today") == "two\n");
  CHECK(run("echo three; exit 1").status == StepStatus::failed);
  CHECK(content(folder.path + "/elsewhere/today") == "two\n");
  CHECK(content(folder.path + "/elsewhere/today.failed") == "three\n");
}

TEST_CASE_FIXTURE(Dump, "what stands in the way of a step's stdout is not written through") {
  write(folder.path + "/secret", "theirs\n");
  fs::create_symlink("secret", file + ".partial");
  fs::create_symlink("secret", file + ".failed");
  CHECK(run("echo half; exit 1").status == StepStatus::failed);
  CHECK(run("echo whole").status == StepStatus::succeeded);
  CHECK(content(folder.path + "/secret") == "theirs\n");
  CHECK(content(file) == "whole\n");
  CHECK(content(file + ".failed") == "half\n");
}

TEST_CASE_FIXTURE(Dump, "a device is a step's stdout as it is") {
  file = "/dev/null";
  CHECK(run("echo gone; exit 1").detail.find("what it wrote") == std::string::npos);
  CHECK(run("echo gone").status == StepStatus::succeeded);
  CHECK_FALSE(is_there(".partial"));
}

TEST_CASE_FIXTURE(Dump, "a pipe that nobody reads is an error at once, and no wait") {
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  CHECK(run("echo dumped").status == StepStatus::failed);
  const probes::Descriptor reader(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  CHECK(run("echo dumped").status == StepStatus::succeeded);
  CHECK(fs::is_fifo(file));
}

TEST_CASE_FIXTURE(Dump, "an open file of ours as a step's stdout is written to, and not exchanged") {
  write(file, "log\n");
  const std::string log = file;
  const probes::Descriptor ours(::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  file = "/proc/self/fd/" + std::to_string(ours.number());
  CHECK(run("echo dumped").status == StepStatus::succeeded);
  CHECK(content(log) == "log\ndumped\n");
  CHECK_FALSE(fs::exists(log + ".partial"));
}

TEST_CASE_FIXTURE(Dump, "a stdout that cannot be made has a step not begin") {
  file = folder.path + "/gone/dump";
  const rules::StepResult result = run("touch " + folder.path + "/ran");
  CHECK(result.nothing_begun);
  CHECK(result.detail.find("stdout: open the folder ") != std::string::npos);
  fs::create_directories(folder.path + "/gone/dump.partial");
  CHECK(run("touch " + folder.path + "/ran").detail.find("File exists") != std::string::npos);
  CHECK_FALSE(fs::exists(folder.path + "/ran"));
}

TEST_CASE_FIXTURE(Dump, "what cannot take the place of a step's stdout is kept, and the step has failed") {
  const rules::StepResult result = run("echo whole; mkdir -p " + file + "/full");
  CHECK(result.status == StepStatus::failed);
  CHECK(result.detail.find("stdout: rename ") != std::string::npos);
  CHECK(result.detail.find("what it wrote is in " + file + ".failed") != std::string::npos);
  CHECK(content(file + ".failed") == "whole\n");
}
