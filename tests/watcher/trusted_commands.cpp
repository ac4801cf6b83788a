#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "test_folder.hpp"
#include "watcher/drivers/shell_commands.hpp"
#include "watcher/drivers/trusted_path.hpp"

// What a program reads as commands, or a script hides behind more than a list of commands, is looked at as commands
// are.

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// A folder that everybody writes, beside one that only we do, with the same files in each. Programs that may not be
// installed are in the latter.
struct Files {
  TestFolder folder;
  std::string safe = folder.file("safe");
  std::string open = folder.file("open");

  Files() {
    for (const std::string& place : {safe, open}) {
      REQUIRE(fs::create_directory(place));
      for (const char* name : {"x", "__main__.py", "docker", "docker-compose", "ssh", "22", "java", "psql", "mysql",
                               "tar", "rsync", "run-parts", "gunicorn"}) {
        std::ofstream(place + "/" + name) << "\n";
        REQUIRE(::chmod((place + "/" + name).c_str(), 0755) == 0);
      }
    }
    REQUIRE(::chmod(open.c_str(), 0777) == 0);
  }

  // PLACE in the words stands for the folder, and programs for those here.
  bool refuses(Words argv, const std::string& place, const std::string& dir, Words env = {}) const {
    for (Words* const words : {&argv, &env}) {
      for (std::string& word : *words) {
        for (std::size_t at = word.find("PLACE"); at != std::string::npos; at = word.find("PLACE"))
          word.replace(at, 5, place);
      }
    }
    if (fs::exists(safe + "/" + argv.front())) argv.front() = safe + "/" + argv.front();
    return watcher::run_changed_by_others(argv, dir, "", env).has_value();
  }
  void check_looked_at(const Words& argv) const {
    std::string said;
    for (const std::string& word : argv) said += word + " ";
    CAPTURE(said);
    CHECK(refuses(argv, open, safe));
    CHECK_FALSE(refuses(argv, safe, safe));
  }
  void check_no_matter(const Words& argv) const {
    std::string said;
    for (const std::string& word : argv) said += word + " ";
    CAPTURE(said);
    CHECK_FALSE(refuses(argv, open, safe));
  }
};

}  // namespace

TEST_CASE("files from which docker compose has containers started are looked at") {
  const Files files;
  for (const Words& argv : std::vector<Words>{{"docker", "compose", "-f", "PLACE/x", "up", "-d"},
                                              {"docker", "--context", "prod", "compose", "--file=PLACE/x", "up"},
                                              {"docker-compose", "-p", "shop", "-fPLACE/x", "restart"},
                                              {"docker", "compose", "--env-file", "PLACE/x", "up"},
                                              {"timeout", "5", "PLACE/docker", "compose", "version"}})
    files.check_looked_at(argv);
  for (const Words& argv : std::vector<Words>{{"docker", "compose", "logs", "-f", "PLACE/x"},
                                              {"docker", "run", "image", "compose", "-f", "PLACE/x"},
                                              {"docker", "cp", "PLACE/x", "web:/x"}})
    files.check_no_matter(argv);
  // Without -f it is the file of a usual name where it is started.
  CHECK_FALSE(files.refuses({"docker", "compose", "up"}, "", files.open));
  std::ofstream(files.open + "/compose.yaml") << "services: {}\n";
  CHECK(files.refuses({"docker", "compose", "up"}, "", files.open));
  CHECK(files.refuses({"docker", "compose", "--project-directory", files.open, "up"}, "", files.safe));
}

TEST_CASE("what ssh reads as its configuration, and the key that it shows, are looked at") {
  const Files files;
  for (const Words& argv : std::vector<Words>{{"ssh", "-F", "PLACE/x", "web1", "restart"},
                                              {"ssh", "-p", "22", "-i", "PLACE/x", "deploy@web1"},
                                              {"ssh", "-o", "ProxyCommand=PLACE/x", "web1"},
                                              {"ssh", "-o", "ProxyCommand=PLACE/x %h %p", "web1"},
                                              {"ssh", "-o", "ProxyCommand PLACE/x %h", "web1"},
                                              {"ssh", "web1", "-F", "PLACE/x", "restart"}})
    files.check_looked_at(argv);
  for (const Words& argv : std::vector<Words>{{"ssh", "-E", "PLACE/x", "web1"}, {"ssh", "web1", "PLACE/x"}})
    files.check_no_matter(argv);
}

TEST_CASE("what stands in a case, behind it, in a here-document of a shell and behind it is looked at") {
  const Files files;
  for (const char* script : {"case $1 in a|'b)') PLACE/x ;; *) true ;; esac",
                             "case $1 in\n (a) true ;;\n b)\n  PLACE/x v1\nesac",
                             "case $1 in a) case $2 in b) true;; esac; PLACE/x;; esac",
                             "case \"$1\" in a) true;; esac; PLACE/x",
                             "case $1 in a) true;; esac && PLACE/x",
                             "cat <<EOF\nhello ' world\nEOF\nPLACE/x",
                             "cat <<-'E N' >/dev/null && true\n\tx\n\tE N\nPLACE/x",
                             "sh <<EOF\nPLACE/x\nEOF\n",
                             "cat <<EOF | sh -s a\nPLACE/x\nEOF\n",
                             "sh <<<'PLACE/x'",
                             "diff <(PLACE/x) /dev/null",
                             "nice sh <<EOF\nPLACE/x\nEOF\n",
                             "env A=b sh -s <<EOF\nPLACE/x\nEOF\n",
                             "su - <<EOF\nPLACE/x\nEOF\n",
                             "timeout 5 bash <PLACE/x",

                             "cd -P PLACE && ./x",
                             "cd -- PLACE && ./x",
                             "echo ${A:-$(PLACE/x)}",
                             "echo \"${A:-`PLACE/x`}\"",
                             "echo ${A:-${B:-$(PLACE/x)}}",
                             "true ${A#\\}}; PLACE/x",
                             "function f { true; }; PLACE/x",
                             "select i in a b; do PLACE/x; done"})
    files.check_looked_at({"bash", "-c", script});
  for (const char* script :
       {"cat <<EOF\nPLACE/x\nEOF\n", "case $1 in PLACE/x) true;; esac", "case PLACE/x in a) true;; esac",
        "cat <<<PLACE/x", "function f { true; }; f PLACE/x", "true <<EOF\nPLACE/x", "nice cat <<EOF\nPLACE/x\nEOF\n",
        "echo ${A:-PLACE/x}", "su - -c true <<EOF\nPLACE/x\nEOF\n"})
    files.check_no_matter({"bash", "-c", script});
}

TEST_CASE("a script of more than lists of commands is never read beyond its end") {
  const std::string script =
      "case $a in (b|'c)') d;; e) f;& esac; cat <<-E <<'F' | sh\n\tx\n\tE\ny\nF\nfunction g { h <(i) <<<\"j $(k)\"; }";
  for (std::size_t length = 0; length <= script.size(); ++length)
    watcher::lines_in_shell(std::string_view(script).substr(0, length));
}

TEST_CASE("files and folders that an environment names to be run, loaded or looked in are looked at") {
  const Files files;
  const std::vector<Words> environments{
      {"PATH=/usr/bin:PLACE"},
      {"PATH=PLACE/later:/usr/bin"},
      {"BASH_ENV=PLACE/x"},
      {"ENV=PLACE/not-there-yet"},
      {"LD_PRELOAD=libc.so.6 PLACE/x"},
      {"LD_LIBRARY_PATH=PLACE"},
      {"COMPOSE_FILE=/etc/none.yml:PLACE/x"},
      {"PYTHONPATH=PLACE"},
      {"NODE_OPTIONS=--max-old-space-size=64 --require PLACE/x"},
      {"NODE_OPTIONS=-r PLACE/x"},
      {"RUBYOPT=-rPLACE/x"},
      {"PERL5OPT=-IPLACE"},
      {"JAVA_TOOL_OPTIONS=-Xmx1g -javaagent:PLACE/x=a=b"},
      {"GIT_SSH_COMMAND=ssh -F PLACE/x"},
      {"GIT_SSH=PLACE/x"},
      {"GIT_CONFIG_GLOBAL=PLACE/x"},
      {"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.fsmonitor", "GIT_CONFIG_VALUE_0=PLACE/x"},
      {"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=alias.st", "GIT_CONFIG_VALUE_0=!PLACE/x now"}};
  for (const Words& environment : environments) {
    const std::string first = environment.back();
    CAPTURE(first);
    // In the step's table, before a command, and in a script.
    CHECK(files.refuses({"/bin/true"}, files.open, files.safe, environment));
    CHECK_FALSE(files.refuses({"/bin/true"}, files.safe, files.safe, environment));
    Words behind_env{"env"};
    behind_env.insert(behind_env.end(), environment.begin(), environment.end());
    behind_env.emplace_back("/bin/true");
    files.check_looked_at(behind_env);
  }
  for (const char* script :
       {"PYTHONPATH=PLACE /bin/true", "export BASH_ENV=PLACE/x; bash -c true", "PATH=PLACE:$PATH /bin/true",
        "export PATH=\"$PATH:PLACE\"", "LD_PRELOAD='PLACE/x' /bin/true", "env PYTHONPATH=PLACE /bin/true"})
    files.check_looked_at({"sh", "-c", script});
}

TEST_CASE("what an environment has besides is no command, and a folder of PATH says where a name is found") {
  const Files files;
  for (const Words& environment : std::vector<Words>{{"BACKUP=PLACE/x"},
                                                     {"LD_PRELOAD=libPLACE"},
                                                     {"NODE_ENV=PLACE/x"},
                                                     {"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=PLACE"},
                                                     {"PATH=/usr/bin"}}) {
    const std::string first = environment.back();
    CAPTURE(first);
    CHECK_FALSE(files.refuses({"/bin/true"}, "/open", files.safe, environment));
  }
  CHECK_FALSE(files.refuses({"sh", "-c", "BACKUP=PLACE/x /bin/true"}, files.open, files.safe));
  CHECK_FALSE(files.refuses({"sh", "-c", "echo PATH=PLACE:$PATH"}, files.open, files.safe));
  // The folder is ours alone, the file in it is not.
  std::ofstream(files.safe + "/mine") << "\n";
  REQUIRE(::chmod((files.safe + "/mine").c_str(), 0777) == 0);
  CHECK(files.refuses({"env", "PATH=PLACE", "mine"}, files.safe, files.safe));
  CHECK_FALSE(files.refuses({"env", "PATH=PLACE", "x"}, files.safe, files.safe));
}

TEST_CASE("files that other programs run or load, each in words of its own, are looked at") {
  const Files files;
  for (const Words& argv : std::vector<Words>{{"python3", "PLACE"},
                                              {"python3", "-u", "PLACE", "now"},
                                              {"java", "-jar", "PLACE/x"},
                                              {"java", "-Xmx64m", "-cp", "/usr/share/java:PLACE", "Main"},
                                              {"java", "-classpath", "PLACE/*", "Main"},
                                              {"java", "--module-path", "PLACE", "-m", "a/b"},
                                              {"java", "-javaagent:PLACE/x=port=1", "-version"},
                                              {"java", "@PLACE/x"},
                                              {"java", "PLACE/x", "now"},
                                              {"psql", "-d", "shop", "-f", "PLACE/x"},
                                              {"psql", "--file=PLACE/x", "shop"},
                                              {"psql", "--file", "PLACE/x", "shop"},
                                              {"tar", "-I", "PLACE/x", "-cf", "/dev/null", "/etc/hosts"},
                                              {"tar", "--use-compress-program=PLACE/x", "-xf", "a.tar"},
                                              {"tar", "-xf", "a.tar", "--to-command=PLACE/x"},
                                              {"tar", "-cf", "a.tar", "--checkpoint-action=exec=PLACE/x", "."},
                                              {"rsync", "-a", "-e", "PLACE/x -p 22", "a", "b:c"},
                                              {"rsync", "--rsh=PLACE/x", "a", "b:c"},
                                              {"run-parts", "PLACE"},
                                              {"run-parts", "--exit-on-error", "-a", "v1", "PLACE"},
                                              {"gunicorn", "-c", "PLACE/x", "app:app"},
                                              {"gunicorn", "--config", "PLACE/x", "app:app"}})
    files.check_looked_at(argv);
  for (const Words& argv : std::vector<Words>{{"java", "-Djava.io.tmpdir=PLACE", "-version"},
                                              {"java", "-jar", "/etc/hosts", "PLACE/x"},
                                              {"psql", "-o", "PLACE/x", "-c", "select 1"},
                                              {"psql", "-L", "PLACE/x", "shop"},
                                              {"tar", "-czf", "PLACE/x", "-C", "PLACE", "."},
                                              {"rsync", "-a", "PLACE", "b:c"},
                                              {"gunicorn", "-p", "PLACE/x", "app:app"}})
    files.check_no_matter(argv);
  const Words path{"PATH=" + files.safe + ":/usr/bin:/bin"};
  for (const char* const script : {"psql shop < PLACE/x", "mysql -uroot -psecret shop < PLACE/x"}) {
    CAPTURE(script);
    CHECK(files.refuses({"sh", "-c", script}, files.open, files.safe, path));
    CHECK_FALSE(files.refuses({"sh", "-c", script}, files.safe, files.safe, path));
  }
}

TEST_CASE("a file is looked at though a variable of the script names it") {
  const Files files;
  for (const char* const script :
       {"TOOL=PLACE/x; $TOOL", "TOOL=PLACE/x\n\"$TOOL\" now", "export TOOL='PLACE/x'; exec ${TOOL} now",
        "DIR=\"PLACE\"\nsh \"$DIR/x\"", "DIR=PLACE; cd $DIR && ./x", "A=1 B=PLACE/x; $B"})
    files.check_looked_at({"sh", "-c", script});
  // Which of them it is, is not known.
  for (const char* const script :
       {"TOOL=PLACE/x; TOOL=/bin/true; $TOOL", "for TOOL in a b; do $TOOL; done; TOOL=PLACE/x",
        "TOOL=PLACE/x; read -r TOOL; $TOOL", "TOOL=PLACE/x; echo $TOOL"})
    files.check_no_matter({"sh", "-c", script});
}
