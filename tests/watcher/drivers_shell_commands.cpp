#include <doctest/doctest.h>

#include <algorithm>
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
      {"A=1 B='x y' env FOO=1 run", {"env"}},
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
      {"setsid sleep 20 & disown; builtin cd x", {"setsid"}},
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

TEST_CASE("a shell's script is never read beyond its end") {
  const std::string script =
      "if a; then b \"$(c `d`)\" >e 2>&1 || f; fi; g() { h; }; for i in ${j#k}; do l; done; case m in (n|o) p;; *) q; "
      "esac <<-R\n\ts $(t)\n\tR\n[[ u ]]; "
      "function v { w; }; x=(y z); diff <(1) 2\\";
  for (std::size_t length = 0; length <= script.size(); ++length) commands_in_shell(script.substr(0, length));
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
