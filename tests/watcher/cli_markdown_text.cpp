#include <doctest/doctest.h>

#include "watcher/cli/markdown_text.hpp"

using watcher::markdown_text_for_terminal;

TEST_CASE("a report's Markdown is told in a terminal without its marks") {
  CHECK(markdown_text_for_terminal("# web: recovered \\(P1\\)\n\nRule `slow` fired. Outcome: **recovered**.\n") ==
        "web: recovered (P1)\n===================\n\nRule slow fired. Outcome: recovered.\n\n");
  CHECK(markdown_text_for_terminal("## What was done\n\n### rollback\n\nNo step was run.\n") ==
        "What was done\n-------------\n\nrollback\n\nNo step was run.\n\n");
  CHECK(markdown_text_for_terminal("one\n\n---\n\ntwo\n") == "one\n\n---\n\ntwo\n\n");
}

TEST_CASE("a report's tables are columns in a terminal, numbers to the right") {
  CHECK(markdown_text_for_terminal("| rule | value | |\n|---|--:|---|\n| `a-b` | 5 % | ü |\n|  | 31.25 % | good |\n") ==
        "rule    value\n"
        "a-b       5 %  ü\n"
        "      31.25 %  good\n\n");
}

TEST_CASE("a report's lists keep their signs in a terminal, and what stands in an item stands below it") {
  CHECK(markdown_text_for_terminal("- one\n- two `x`\n") == "-  one\n-  two x\n\n");
  CHECK(markdown_text_for_terminal(
            "9. `run a`: **failed**\n\n   ```text\n   no such file\n\n   again\n   ```\n\n10. last\n") ==
        "9. run a: failed\n     no such file\n\n     again\n\n10. last\n\n");
}

TEST_CASE("a block of a report is told as it is") {
  CHECK(markdown_text_for_terminal("```text\n<b> *x* ▁█\n  F\n```\n") == "  <b> *x* ▁█\n    F\n\n");
}
