#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "watcher/cli/check_online.hpp"
#include "watcher/drivers/shell_commands.hpp"

using watcher::commands_in_shell;
using Names = std::vector<std::string>;

TEST_CASE("the programs of a shell's script are found, and nothing else is taken for one") {
  struct Row {
    const char* script;
    Names programs;
  };
  const Row rows[] = {
      {"git checkout $1 && make; systemctl restart web", {"git", "make", "systemctl"}},
      {"curl -fsS http://127.0.0.1:1/x?a=b | jq -r .id >/tmp/id 2>&1", {"curl", "jq"}},
      {"A=1 B='x y' env FOO=1 run", {"env", "run"}},
      {"if test -f x; then gzip x; else ! grep -q y z; fi", {"grep", "gzip"}},
      {"for c in $(git log -50 --format=%H); do git diff-index --quiet $c && exec echo $c; done; exit 1", {"git"}},
      {"while read -r line; do mail \"$line\"; done <list", {"mail"}},
      {"up() { docker compose up -d; }\nup", {"docker"}},
      {"x=`whoami`; echo \"$(hostname -f) ${x} $((1 + 2))\"", {"hostname", "whoami"}},
      {"2>/dev/null pg_dump shop >dump & wait", {"pg_dump"}},
      {"(cd /opt && exec ./start) || exit 1", {"./start"}},
      {"# rm everything\ncat a # and b", {"cat"}},
      {"'my tool' x \\\n y; \"quoted\" z", {"my tool", "quoted"}},
      {"case $1 in a) tool;; esac", {"tool"}},
      {"case \"$(uname -s)\" in\n  # all of them\n  (Linux | *BSD) one; two ;;\n  *) echo no; exit 1\nesac\nthree",
       {"one", "three", "two", "uname"}},
      {"case $1 in a) case $2 in b) inner;; esac;; esac && after", {"after", "inner"}},
      {"case x in esac; after", {"after"}},
      {"for i in 1 2; do case $i in 1) a & ;; 2) b | c ;& *) d; esac; done", {"a", "b", "c", "d"}},
      {"cat <<EOF\nnot a command $(hostname) `date`\nEOF\nafter", {"after", "cat", "date", "hostname"}},
      {"cat <<'EOF' | sort >x\nit's $(nothing\nEOF\nafter", {"after", "cat", "sort"}},
      {"cat <<-A; cat <<B\n\tone\n\tA\ntwo\nB\nafter", {"after", "cat"}},
      {"grep x <<<\"a word\" && after", {"after", "grep"}},
      {"diff <(sort a) <(uniq b)", {"diff", "sort", "uniq"}},
      {"[[ $a == b && c == d ]] && after; (( i = 1 )); for ((i=0;i<3;i++)); do x; done", {"after", "x"}},
      {"a=(one two); declare -a b=(three); x", {"x"}},
      {"up () { docker up; }\nfunction down { docker down; }\nfunction both() { up; down; }\nboth", {"docker"}},
      {"select x in a b; do y; done", {"y"}},
      {"while ! pg_isready; do sleep 1; done; until up; do :; done", {"pg_isready", "sleep", "up"}},
      // Only known when it runs.
      {"$TOOL x; \"$DIR/bin\" y; ./{a,b} z; ~/bin/x; \\ls; {to}", {}},
      // Its absence is reckoned with.
      {"docker-compose up || docker compose up", {"docker"}},
      {"docker-compose up || exit 1", {"docker-compose"}},
      {"command -v gsed >/dev/null && gsed -i s/a/b/ f", {}},
      {"setsid sleep 20 & disown; builtin cd x", {"setsid", "sleep"}},
      {"set -eu; cd x; export A=1; [ -f x ] && [[ -d y ]]; { echo a; }; true", {}},
      // More than is read.
      {"case $1 in a) tool;;", {}},
      {"cat <<EOF\nnot a command\n", {}},
      {"PATH=/opt/bin:$PATH; tool", {}},
      {"echo 'unended", {}},
      {"echo \"unended $(x", {}},
      {"", {}},
  };
  for (const Row& row : rows) {
    const std::string script = row.script;
    CAPTURE(script);
    CHECK(commands_in_shell(script) == row.programs);
  }
}

TEST_CASE("what asks whether a program is there reckons with its absence, and so does what then runs") {
  struct Row {
    const char* script;
    Names programs;
  };
  const Row rows[] = {
      {"command -v a >/dev/null 2>&1 && a; b", {"b"}},
      {"command -v a && c --x | d && e; b", {"b"}},
      {"command -v a &&\n  c\nb", {"b"}},
      {"command -v a || exit 1; b", {"b"}},
      {"command -v a && c || b", {"b"}},
      {"command  -v  a b >/dev/null; a; b; c", {"c"}},
      {"type -p a && c; a; b", {"b"}},
      {"hash 2>/dev/null a && c; a; b", {"b"}},
      {"hash -r && b", {"b"}},
      {"which a && c; a; b", {"b", "which"}},
      {"if command -v a; then c; a; if x; then y; fi; d; fi; b", {"b"}},
      {"if true; then if ! type a; then c; fi; b; fi", {"b"}},
      {"if x; then command -v a && c; b; fi", {"b", "x"}},
      {"if x; then y; elif hash a; then c; fi; b", {"b", "x", "y"}},
      {"if [ -n \"$(command -v a)\" ]; then a; fi; b", {"b"}},
      {"cat <<EOF\n$(command -v a)\nEOF\na; b", {"b", "cat"}},
      {"fi; fi; if command -v a; then", {}},
  };
  for (const Row& row : rows) {
    const std::string script = row.script;
    CAPTURE(script);
    CHECK(commands_in_shell(script) == row.programs);
  }
}

TEST_CASE("behind a script that is read into a shell's, a name may be a function of that") {
  struct Row {
    const char* script;
    Names programs;
  };
  const Row rows[] = {
      {"a; . ./env.sh; b; /opt/c; $(d); timeout 5 e; f || exit 1", {"/opt/c", "a"}},
      {"a && source env.sh && b", {"a"}},
      {". ./env.sh\ncat <<EOF\n$(b)\nEOF", {}},
      {"f() { b; /opt/c; }\n. ./env.sh\nf", {"/opt/c"}},
      {"(a || exit 1) && $(. ./x; y); b", {"a", "b"}},
  };
  for (const Row& row : rows) {
    const std::string script = row.script;
    CAPTURE(script);
    CHECK(commands_in_shell(script) == row.programs);
  }
}

TEST_CASE("what runs another program is followed to it") {
  struct Row {
    const char* script;
    Names programs;
  };
  const Row rows[] = {
      {"timeout 5 a", {"a", "timeout"}},
      {"timeout -k 3 10 a --x && b", {"a", "b", "timeout"}},
      {"sudo -u deploy a; sudo -n -u \"$user\" -- /opt/b", {"/opt/b", "a", "sudo"}},
      {"sudo -u deploy A=1 timeout 5 nice -n 5 a | b", {"a", "b", "nice", "sudo", "timeout"}},
      {"env A=1 a <x", {"a", "env"}},
      {"(nice a >x) && nohup b >y 2>&1 & setsid -f c", {"a", "b", "c", "nice", "nohup", "setsid"}},
      {"exec a; time b; time -p c; time { d; }; command -p e", {"a", "b", "c", "d", "e"}},
      {"x=$(timeout 5 a); y=`nice b`", {"a", "b", "nice", "timeout"}},
      {"for i in 1 2; do timeout 5 a; done; f() { sudo b; }; f", {"a", "b", "sudo", "timeout"}},
      // Its absence is reckoned with, or it is not known.
      {"timeout 5 a || b", {"b"}},
      {"timeout 5 a || exit 1", {"a", "timeout"}},
      {"command -v a && timeout 5 a; nice a", {"nice"}},
      {"timeout 5 $a; timeout \"$limit\" a; sudo --what a; env; sudo -l; timeout 5", {"env", "sudo", "timeout"}},
  };
  for (const Row& row : rows) {
    const std::string script = row.script;
    CAPTURE(script);
    CHECK(commands_in_shell(script) == row.programs);
  }
}

TEST_CASE("a shell's script is never read beyond its end") {
  const std::string script =
      "if a; then b \"$(c `d`)\" >e 2>&1 || f; fi; g() { h; }; for i in ${j#k}; do l; done; case m in (n|o) p;; *) q; "
      "esac <<-R\n\ts $(t)\n\tR\n[[ u ]]; "
      "function v { w; }; x=(y z); diff <(1) 2\\";
  const std::string other = "if command -v a && sudo -u b timeout 5 c; then . ./d; time -p nice e; fi || hash f && g";
  for (std::size_t length = 0; length <= script.size(); ++length) commands_in_shell(script.substr(0, length));
  for (std::size_t length = 0; length <= other.size(); ++length) commands_in_shell(other.substr(0, length));
}

TEST_CASE("check --online says which commands of a script there are not") {
  watcher::Config config;
  rules::ActionSpec action;
  action.name = rules::ActionName("rollback");
  rules::StepSpec step;
  step.what = rules::RunStep{{"sh", "-ec", "true; no-such-tool --now && cat x | /no/such/path"}};
  action.steps.push_back(step);
  config.core.actions.push_back(action);
  const auto found = watcher::missing_commands(config);
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == watcher::OnlineFinding::Kind::advice);
  CHECK(found[0].text.find("/no/such/path, no-such-tool") != std::string::npos);
  CHECK(found[0].text.find("cat") == std::string::npos);
}

TEST_CASE("check --online looks where sudo does for what a script runs as root") {
  const auto missing = [](const std::string& script) {
    watcher::Config config;
    rules::ActionSpec action;
    action.name = rules::ActionName("rollback");
    rules::StepSpec step;
    step.what = rules::RunStep{{"sh", "-c", script}};
    action.steps.push_back(step);
    config.core.actions.push_back(action);
    std::string out;
    for (const auto& finding : watcher::missing_commands(config)) out += finding.text;
    return out;
  };
  const char* const path = std::getenv("PATH");
  const std::string before = path == nullptr ? "" : path;
  REQUIRE(::setenv("PATH", "/usr/bin:/bin", 1) == 0);
  CHECK(missing("ldconfig").find("ldconfig") != std::string::npos);
  CHECK(missing("sudo -n ldconfig").find("ldconfig") == std::string::npos);
  CHECK(missing("sudo -n no-such-tool").find("no-such-tool") != std::string::npos);
  REQUIRE(::setenv("PATH", before.c_str(), 1) == 0);
}

TEST_CASE("what runs a command that stands in its words, or a script in one of them, is followed") {
  struct Row {
    const char* script;
    Names programs;
  };
  const Row rows[] = {
      {"ls | xargs -r -n 1 tool a", {"ls", "tool", "xargs"}},
      {"git ls-files -z | xargs -0 -I{} tool {}", {"git", "tool", "xargs"}},
      {"find . -name x -exec tool {} \\; -o -execdir other {} +", {"find", "other", "tool"}},
      {"trap 'tool; rm -f x' EXIT INT; after", {"after", "rm", "tool"}},
      {"trap - EXIT; trap '' INT; after", {"after"}},
      {"eval 'tool x' && eval \"$LINE\"", {"tool"}},
      {"su -c 'tool a | other' deploy", {"other", "su", "tool"}},
      {"su - deploy -c \"tool\"; runuser -u deploy -c 'more'", {"more", "runuser", "su", "tool"}},
      {"bash -euc 'sh -c \"inner\"; outer'", {"bash", "inner", "outer", "sh"}},
      // Its absence, or its failure, is reckoned with.
      {"eval 'tool x' || true", {}},
      {"command -v tool && su -c 'tool' deploy", {}},
      {"su -c 'PATH=/opt/bin tool' deploy", {}},
      // Not a script.
      {"find . -name -exec", {"find"}},
      {"su deploy; xargs; trap", {"su", "xargs"}},
      {"eval \"$(ssh-agent)\"", {"ssh-agent"}},
  };
  for (const Row& row : rows) {
    const std::string script = row.script;
    CAPTURE(script);
    CHECK(commands_in_shell(script) == row.programs);
  }
}

TEST_CASE("scripts in words of scripts are read so deep and no deeper") {
  std::string script = "tool";
  for (int i = 0; i < 40; ++i) script = "eval eval eval " + script;
  commands_in_shell(script);
}
