#include "watcher/drivers/trusted_path.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config_files.hpp"
#include "drivers_support.hpp"
#include "test_folder.hpp"
#include "watcher/drivers/trusted_child.hpp"

namespace {

namespace fs = std::filesystem;

constexpr uid_t somebody = 65534;

void write_file(const std::string& file, const std::string& text, mode_t mode) {
  std::ofstream(file) << text;
  REQUIRE(::chmod(file.c_str(), mode) == 0);
}

// A folder that everybody writes, beside one that only we do, with a script in each.
struct Place {
  TestFolder folder;
  std::string safe = folder.path + "/safe";
  std::string open = folder.path + "/open";

  Place() {
    REQUIRE(fs::create_directory(safe));
    REQUIRE(fs::create_directory(open));
    REQUIRE(::chmod(safe.c_str(), 0755) == 0);
    REQUIRE(::chmod(open.c_str(), 0777) == 0);
    write_file(safe + "/back.sh", "#!/bin/sh\n", 0755);
    write_file(open + "/back.sh", "#!/bin/sh\n", 0755);
  }

  bool refuses(const std::vector<std::string>& argv) const {
    return watcher::run_changed_by_others(argv, folder.path, "").has_value();
  }
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += word + " ";
  return out;
}

bool contains(const std::optional<std::string>& text, const std::string& part) {
  return text && text->find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a command is as safe as every folder and link on the way to it") {
  const Place place;
  CHECK_FALSE(place.refuses({place.safe + "/back.sh"}));
  CHECK(place.refuses({place.open + "/back.sh"}));
  // The link can be led elsewhere by whoever writes its folder, however safe its end is.
  fs::create_symlink("../safe/back.sh", place.open + "/link");
  CHECK(contains(watcher::changed_by_others(place.open + "/link", ""), place.open + " can be written by other users"));
  // Also where it is on the way: of a folder, and behind another link that is safe itself.
  fs::create_symlink("../safe", place.open + "/current");
  CHECK(place.refuses({place.open + "/current/back.sh"}));
  fs::create_symlink(place.open + "/current", place.safe + "/current");
  CHECK(place.refuses({place.safe + "/current/back.sh"}));
  CHECK(place.refuses({place.safe + "/../open/current/back.sh"}));
  // A link in a safe folder to what is safe is.
  fs::create_symlink("back.sh", place.safe + "/link");
  CHECK_FALSE(place.refuses({place.safe + "/link"}));
  CHECK_FALSE(place.refuses({"./safe/../safe/./link"}));
  // One that leads nowhere, and one to itself, start nothing.
  fs::create_symlink("nowhere", place.safe + "/dangling");
  fs::create_symlink("loop", place.safe + "/loop");
  CHECK_FALSE(place.refuses({place.safe + "/dangling"}));
  CHECK_FALSE(place.refuses({place.safe + "/loop"}));
}

TEST_CASE("a link of another user's in a sticky folder is his to lead elsewhere") {
  if (::geteuid() != 0) {
    MESSAGE("not run: only root can give a link away");
    return;
  }
  const Place place;
  REQUIRE(::chmod(place.open.c_str(), 01777) == 0);
  fs::create_symlink("../safe/back.sh", place.open + "/link");
  CHECK_FALSE(place.refuses({place.open + "/link"}));
  REQUIRE(::lchown((place.open + "/link").c_str(), somebody, somebody) == 0);
  CHECK(contains(watcher::changed_by_others(place.open + "/link", ""), place.open + "/link belongs to another user"));
  // What runs as that user is that user's.
  CHECK_FALSE(watcher::changed_by_others(place.open + "/link", "nobody"));
}

TEST_CASE("the script of an interpreter is a command, also behind programs that run others") {
  const Place place;
  const std::vector<std::vector<std::string>> before{{"/bin/sh"},
                                                     {"sh", "-eu"},
                                                     {"bash", "-o", "pipefail"},
                                                     {"env"},
                                                     {"env", "-i", "LANG=C", "sh"},
                                                     {"/usr/bin/env", "python3", "-u"},
                                                     {"timeout", "-k", "5", "30", "sh"},
                                                     {"nice", "-n", "10"},
                                                     {"setsid", "nice", "perl", "-w"}};
  for (std::vector<std::string> argv : before) {
    CAPTURE(joined(argv));
    argv.push_back(place.open + "/back.sh");
    argv.emplace_back("--fast");
    CHECK(place.refuses(argv));
    argv.at(argv.size() - 2) = "open/back.sh";
    CHECK(place.refuses(argv));
    argv.at(argv.size() - 2) = place.safe + "/back.sh";
    CHECK_FALSE(place.refuses(argv));
  }
}

TEST_CASE("what a shell's script in a word starts is a command") {
  const Place place;
  for (const char* const script :
       {"PLACE/back.sh v1", "cd PLACE && ./back.sh", "set -e; cd PLACE; sh back.sh --fast", "echo $(PLACE/back.sh)",
        "true || PLACE/back.sh", "if test x; then PLACE/back.sh; fi", ". PLACE/back.sh",
        "timeout 5 sh -c 'exec PLACE/back.sh'", "env A=1 python3 PLACE/back.sh", "(cd PLACE; exec ./back.sh)",
        "A=b PLACE/back.sh; case $1 in a) b;; esac", "PATH=/opt/bin:$PATH; PLACE/back.sh"}) {
    CAPTURE(script);
    const auto with = [&](std::string folder) {
      std::string out = script;
      return out.replace(out.find("PLACE"), 5, folder);
    };
    for (const std::vector<std::string>& shell : std::vector<std::vector<std::string>>{
             {"sh", "-c"}, {"/bin/bash", "-euo", "pipefail", "-c"}, {"nice", "-n", "5", "sh", "-ec"}}) {
      std::vector<std::string> argv = shell;
      argv.push_back(with(place.open));
      CHECK(place.refuses(argv));
      argv.back() = with("open");
      CHECK(place.refuses(argv));
      argv.back() = with(place.safe);
      CHECK_FALSE(place.refuses(argv));
    }
  }
}

namespace {

// Programs that may not be here, to be found in PATH while it lives.
class WithPrograms {
 public:
  explicit WithPrograms(const std::string& folder, const std::vector<std::string>& names) {
    for (const std::string& name : names) write_file(folder + "/" + name, "\x7f", 0755);
    REQUIRE(::setenv("PATH", (path_ + ":" + folder).c_str(), 1) == 0);
  }
  ~WithPrograms() { ::setenv("PATH", path_.c_str(), 1); }
  WithPrograms(const WithPrograms&) = delete;
  WithPrograms& operator=(const WithPrograms&) = delete;

 private:
  std::string path_ = std::getenv("PATH");
};

std::vector<std::string> led_to(std::vector<std::string> argv, const std::string& folder) {
  for (std::string& word : argv) {
    const std::size_t at = word.find("PLACE");
    if (at != word.npos) word.replace(at, 5, folder);
  }
  return argv;
}

const std::vector<std::string> programs{"ruby",
                                        "php",
                                        "node",
                                        "busybox",
                                        "systemd-run",
                                        "gosu",
                                        "make",
                                        "gawk",
                                        "strace",
                                        "ld-linux.so.2",
                                        "su",
                                        "runuser",
                                        "sudo",
                                        "doas",
                                        "tini",
                                        "script",
                                        "start-stop-daemon",

                                        "logrotate",
                                        "ansible-playbook",
                                        "alembic",
                                        "npm",
                                        "fish",
                                        "pkexec",
                                        "softlimit",
                                        "screen"};

}  // namespace

TEST_CASE("neither an option of an interpreter nor a program in between hides what is run") {
  const Place place;
  const WithPrograms with(place.safe, programs);
  for (const std::string& folder : {place.safe, place.open}) write_file(folder + "/Makefile", "all:\n", 0644);
  const std::vector<std::vector<std::string>> commands{
      {"python3", "-Wonce", "PLACE/back.sh"},
      {"python3", "-Wignore::DeprecationWarning", "PLACE/back.sh"},
      {"python3", "-Xfrozen_modules=off", "-X", "dev", "PLACE/back.sh"},
      {"perl", "-Mfeature=say", "PLACE/back.sh"},
      {"perl", "-I/usr/share/perl5", "-w", "PLACE/back.sh"},
      {"perl", "-I", "PLACE", "-e", "1"},
      {"perl", "-Mlib=PLACE", "-e", "1"},
      {"ruby", "-W:no-deprecated", "PLACE/back.sh"},
      {"ruby", "-rPLACE/back.sh", "-e", "1"},
      {"ruby", "-C", "PLACE", "back.sh"},
      {"php", "-derror_reporting=0", "PLACE/back.sh"},
      {"php", "-f", "PLACE/back.sh"},
      {"php", "-dauto_prepend_file=PLACE/back.sh", "-r", "1;"},
      {"node", "--require=PLACE/back.sh", "-e", "1"},
      {"node", "--require", "PLACE/back.sh", "/dev/null"},
      {"node", "-r", "PLACE/back.sh", "/dev/null"},
      {"bash", "--rcfile", "PLACE/back.sh", "-i"},
      {"env", "-C", "PLACE", "./back.sh"},
      {"env", "--chdir=PLACE", "./back.sh"},
      {"env", "--chdir", "PLACE", "A=1", "sh", "back.sh"},
      {"env", "-S", "sh PLACE/back.sh"},
      {"env", "-SA=1 python3 -u", "PLACE/back.sh"},
      {"env", "--split-string=sh 'PLACE/back.sh'"},
      {"sh", "-c", "--", "PLACE/back.sh"},
      {"sh", "-c", "-e", "PLACE/back.sh"},
      {"sh", "-c", "eval PLACE/back.sh"},
      {"sh", "-c", "eval 'cd PLACE && ./back.sh'"},
      {"sh", "-c", "trap PLACE/back.sh EXIT"},
      {"sh", "-c", "trap -- 'sh PLACE/back.sh' EXIT"},
      {"sh", "-c", "find . -exec PLACE/back.sh {} +"},
      {"sh", "-c", "cd PLACE; sh -e < back.sh"},
      {"sh", "-c", "python3 <PLACE/back.sh 2>&1"},
      {"xargs", "-a", "/dev/null", "-n1", "PLACE/back.sh"},
      {"busybox", "sh", "PLACE/back.sh"},
      {"su", "-c", "PLACE/back.sh"},
      {"su", "-", "root", "-c", "PLACE/back.sh now"},
      {"runuser", "-u", "root", "--", "PLACE/back.sh"},
      {"sudo", "-u", "root", "-n", "PLACE/back.sh"},
      {"doas", "PLACE/back.sh"},
      {"gosu", "root", "PLACE/back.sh"},
      {"systemd-run", "--wait", "-p", "Nice=5", "PLACE/back.sh"},
      {"flock", "/tmp", "-c", "PLACE/back.sh now"},
      {"flock", "-w", "5", "/tmp", "PLACE/back.sh"},
      {"strace", "-f", "-o", "/dev/null", "PLACE/back.sh"},
      {"tini", "--", "PLACE/back.sh"},
      {"chroot", "/", "PLACE/back.sh"},
      {"ld-linux.so.2", "PLACE/back.sh"},
      {"find", "/nowhere", "-exec", "PLACE/back.sh", "{}", ";"},
      {"make", "-f", "PLACE/back.sh"},
      {"make", "-sfPLACE/back.sh", "all"},
      {"make", "--file=PLACE/back.sh"},
      {"make", "-C", "PLACE", "all"},
      {"make", "-j4", "-CPLACE"},
      {"gawk", "-F:", "-f", "PLACE/back.sh", "/dev/null"},
      {"sed", "-nf", "PLACE/back.sh", "/dev/null"},
      {"script", "-qc", "PLACE/back.sh now", "/dev/null"},
      {"start-stop-daemon", "--start", "--exec", "PLACE/back.sh"},
      {"start-stop-daemon", "-S", "-x", "PLACE/back.sh", "-u", "root"},
      {"logrotate", "-f", "PLACE/back.sh"},
      {"ansible-playbook", "-i", "localhost,", "PLACE/back.sh"},
      {"alembic", "-c", "PLACE/back.sh", "current"},
      {"npm", "--prefix", "PLACE", "ci"},
      {"fish", "PLACE/back.sh"},
      {"pkexec", "PLACE/back.sh"},
      {"softlimit", "-m", "5000", "PLACE/back.sh"},
      {"screen", "-dmS", "name", "PLACE/back.sh"},
  };
  for (const std::vector<std::string>& command : commands) {
    CAPTURE(joined(command));
    CHECK(place.refuses(led_to(command, place.open)));
    CHECK_FALSE(place.refuses(led_to(command, place.safe)));
    std::vector<std::string> behind{"nice", "-n", "5", "timeout", "-k", "5", "30"};
    behind.insert(behind.end(), command.begin(), command.end());
    CHECK(place.refuses(led_to(behind, place.open)));
  }
}

TEST_CASE("the folder in which make looks for its file decides what is run, also while there is none") {
  const Place place;
  const WithPrograms with(place.safe, programs);
  CHECK(place.refuses({"make", "-C", place.open}));
  CHECK_FALSE(place.refuses({"make", "-C", place.safe}));
}

TEST_CASE("what a script's first line names is run") {
  const Place place;
  fs::copy_file("/bin/sh", place.open + "/interpreter");
  const std::vector<std::string> lines{"PLACE/interpreter",
                                       "PLACE/interpreter -e",
                                       "/usr/bin/env -S sh PLACE/back.sh",
                                       "/usr/bin/env PLACE/interpreter",
                                       " /bin/sh PLACE/back.sh",
                                       "PLACE/back.sh"};
  for (const std::string& line : lines) {
    CAPTURE(line);
    const auto with = [&](const std::string& folder) {
      std::string text = "#!" + line + "\n";
      write_file(place.safe + "/first.sh", text.replace(text.find("PLACE"), 5, folder), 0755);
    };
    with(place.open);
    for (const std::vector<std::string>& before : std::vector<std::vector<std::string>>{{}, {"nice"}, {"env", "A=1"}}) {
      std::vector<std::string> argv = before;
      argv.push_back(place.safe + "/first.sh");
      CHECK(place.refuses(argv));
    }
    // A shell reads it itself, and takes the line for a comment.
    CHECK_FALSE(place.refuses({"sh", place.safe + "/first.sh"}));
    with(place.safe);
    CHECK_FALSE(place.refuses({place.safe + "/first.sh"}));
  }
  // One that names itself leads nowhere.
  write_file(place.safe + "/itself", "#!" + place.safe + "/itself\n", 0755);
  CHECK_FALSE(place.refuses({place.safe + "/itself"}));
}

TEST_CASE("what a command line runs as another user may be that user's") {
  if (::geteuid() != 0) {
    MESSAGE("not run: only root can give a file away");
    return;
  }
  const Place place;
  const WithPrograms with(place.safe, programs);
  const std::string theirs = place.safe + "/theirs";
  REQUIRE(fs::create_directory(theirs));
  write_file(theirs + "/back.sh", "#!/bin/sh\n", 0755);
  for (const std::string& path : {theirs, theirs + "/back.sh"}) REQUIRE(::chown(path.c_str(), somebody, somebody) == 0);
  const std::vector<std::vector<std::string>> as_them{
      {"runuser", "-u", "nobody", "--", theirs + "/back.sh"},
      {"runuser", "-u", "nobody", "sh", theirs + "/back.sh"},
      {"runuser", "-l", "nobody", "-c", theirs + "/back.sh"},
      {"sudo", "-nu", "nobody", theirs + "/back.sh"},
      {"sudo", "--user=nobody", theirs + "/back.sh"},
      {"sudo", "-u", "#65534", theirs + "/back.sh"},
      {"su", "nobody", "-c", theirs + "/back.sh"},
      {"su", "-s", "/bin/sh", "-", "nobody", "-c", theirs + "/back.sh"},
      {"gosu", "nobody:nogroup", theirs + "/back.sh"},
      {"setpriv", "--reuid=nobody", theirs + "/back.sh"},
      {"sudo", "-u", "nobody", "sh", "-c", "exec " + theirs + "/back.sh"},
  };
  for (const std::vector<std::string>& argv : as_them) {
    CAPTURE(joined(argv));
    CHECK_FALSE(place.refuses(argv));
    std::vector<std::string> as_root = argv;
    for (std::string& word : as_root) {
      for (const std::string name : {"nobody", "#65534"}) {
        const std::size_t at = word.find(name);
        if (at != word.npos) word.replace(at, name.size(), "root");
      }
    }
    CAPTURE(joined(as_root));
    CHECK(place.refuses(as_root));
  }
  CHECK(place.refuses({"sudo", theirs + "/back.sh"}));
  CHECK(place.refuses({"su", "-c", theirs + "/back.sh"}));
}

TEST_CASE("what a shell's script in a word only works on, or may not be, is no command") {
  const Place place;
  for (const char* const script :
       {"cat PLACE/back.sh", "cat <PLACE/back.sh", "sh /dev/null <PLACE/back.sh", "python3 -c 1 <PLACE/back.sh",
        "cp a PLACE/back.sh", "\"$X\"/back.sh PLACE/back.sh", "PLACE/no-such", "cd PLACE; cd $X; ./back.sh",
        "cd PLACE; cd -; ./back.sh", "(cd PLACE; true); ./back.sh", "echo 'PLACE/back.sh'",
        "cat <<E\nPLACE/back.sh\nE\n", "back() { true; }; back PLACE/back.sh"}) {
    CAPTURE(script);
    std::string text = script;
    text.replace(text.find("PLACE"), 5, place.open);
    CHECK_FALSE(place.refuses({"sh", "-c", text}));
  }
}

TEST_CASE("what a command works on is no command") {
  const Place place;
  const std::string data = place.open + "/back.sh";
  for (const std::vector<std::string>& argv :
       std::vector<std::vector<std::string>>{{"cat", data},
                                             {"sh", "-c", "cat \"$0\"", data},
                                             {"python3", "-m", "json.tool", data},
                                             {"perl", "-e", "1", data},
                                             {place.safe + "/back.sh", data},
                                             {"timeout", "5", "cat", data},
                                             {"env", "-C", "/", "cat", data},
                                             {"python3", place.safe + "/back.sh", data},
                                             {"python3", "-Wonce", "-c", "1", data},
                                             {"perl", "-ne", "print", data},
                                             {"awk", "{ print }", data},
                                             {"xargs", "-a", data, "cat"},
                                             {"sed", "-i", "s/a/b/", data},
                                             {"sh", "-c", "eval echo; trap - EXIT; trap '' HUP", data},
                                             {},
                                             {""},
                                             {"no-such-command-here", data}}) {
    CAPTURE(joined(argv));
    CHECK_FALSE(place.refuses(argv));
  }
}

TEST_CASE("SPEC 3: check refuses a command and a configuration that are reached through others' folders") {
  const Place place;
  fs::create_symlink("../safe/back.sh", place.open + "/link");
  const std::string file = place.safe + "/c.toml";
  const auto error_of = [&](const std::string& command) {
    write_file(file, "[service.web]\nrollback = " + command + "\n", 0600);
    return findings_text(watcher::load_config(file));
  };
  CHECK(error_of("['" + place.safe + "/back.sh']").empty());
  const std::string words = "service.web.rollback: other users could change this command: " + place.open;
  CHECK(contains(error_of("['" + place.open + "/link']"), words));
  CHECK(contains(error_of("['/bin/sh', '" + place.open + "/back.sh']"), words));
  CHECK(error_of("['" + place.safe + "/back.sh']").empty());
  fs::create_symlink("../safe/c.toml", place.open + "/c.toml");
  CHECK(contains(findings_text(watcher::load_config(place.open + "/c.toml")),
                 "other users could change this configuration: " + place.open));
}

TEST_CASE("a secret that everybody can read, or that others could exchange, is refused") {
  const Place place;
  REQUIRE(::chmod(place.folder.path.c_str(), 0755) == 0);
  const std::string secret = place.safe + "/token";
  write_file(secret, "abcdefgh\n", 0600);
  const auto errors = [&](const std::string& token) {
    write_file(place.safe + "/c.toml",
               "[watcher]\ntoken = { file = '" + token + "' }\n[service.web]\nrollback = ['true']\n", 0600);
    return findings_text(watcher::load_config(place.safe + "/c.toml"));
  };
  CHECK(errors(secret).empty());
  REQUIRE(::chmod(secret.c_str(), 0640) == 0);
  CHECK(errors(secret).empty());
  REQUIRE(::chmod(secret.c_str(), 0604) == 0);
  CHECK(contains(errors(secret), "watcher.token: all users can read this secret; chmod o-r " + secret));
  // Where nobody else comes to the file it may be as it is.
  REQUIRE(::chmod(place.safe.c_str(), 0750) == 0);
  CHECK(errors(secret).empty());
  REQUIRE(::chmod(secret.c_str(), 0620) == 0);
  CHECK(contains(errors(secret), "watcher.token: other users could change this secret: " + secret));
  REQUIRE(::chmod(secret.c_str(), 0600) == 0);
  fs::create_symlink("../safe/token", place.open + "/token");
  CHECK(contains(errors(place.open + "/token"), "other users could change this secret: " + place.open));
}

TEST_CASE("a command that others could change since the configuration was read is not started, and ready says so") {
  const drivers_support::Folder folder;
  drivers_support::CountingClock clock;
  const std::string script = folder.path + "/switch.sh";
  const std::string mark = folder.path + "/began";
  write_file(script, "touch " + mark + "\n", 0644);
  watcher::DriverSection section;
  section.service = rules::ServiceName("web");
  watcher::CommandDriver config;
  config.dir = folder.path;
  config.identify = {"sh", "switch.sh"};
  config.switch_to = {"sh", script};
  section.driver = config;
  const auto driver = watcher::make_driver(section, folder.path, clock);
  CHECK(drivers_support::ready(*driver).ready);
  REQUIRE(::chmod(script.c_str(), 0666) == 0);
  const std::string why = "other users could change what it runs: " + script;
  CHECK(contains(drivers_support::ready(*driver).reason, why));
  CHECK(contains(drivers_support::identify(*driver).error, why));
  const rules::StepResult result = drivers_support::switch_to(*driver, "v2", "v1");
  CHECK(result.status == rules::StepStatus::failed);
  CHECK(result.nothing_begun);
  CHECK(contains(result.detail, why));
  CHECK_FALSE(fs::exists(mark));
  REQUIRE(::chmod(script.c_str(), 0644) == 0);
  CHECK(drivers_support::switch_to(*driver, "v2", "v1").status == rules::StepStatus::succeeded);
  CHECK(fs::exists(mark));
}

TEST_CASE("a name is started as what was found and looked at, whatever comes to stand before it in PATH") {
  const Place place;
  const std::string path = std::getenv("PATH");
  REQUIRE(::setenv("PATH", (place.open + ":" + place.safe + ":" + path).c_str(), 1) == 0);
  write_file(place.safe + "/tool-of-ours", "#!/bin/sh\n", 0755);
  probes::ChildSpec spec;
  spec.argv = {"tool-of-ours", "x"};
  CHECK_FALSE(watcher::make_trusted(spec));
  CHECK(spec.argv == std::vector<std::string>{place.safe + "/tool-of-ours", "x"});
  write_file(place.open + "/tool-of-ours", "#!/bin/sh\n", 0755);
  spec.argv = {"tool-of-ours", "x"};
  CHECK(contains(watcher::make_trusted(spec), place.open + " can be written by other users"));
  spec.argv = {"sh", "-c", "tool-of-ours"};
  CHECK(watcher::make_trusted(spec));
  spec.argv = {"no-such-tool-of-ours"};
  CHECK_FALSE(watcher::make_trusted(spec));
  CHECK(spec.argv.front() == "no-such-tool-of-ours");
  REQUIRE(::setenv("PATH", path.c_str(), 1) == 0);
}
