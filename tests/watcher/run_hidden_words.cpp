#include <doctest/doctest.h>

#include "watcher/run/hidden_words.hpp"

TEST_CASE("a step is told without a secret of the configuration that its command has written out") {
  watcher::Config config;
  config.secrets = {"Passw0rd16", "abc"};
  rules::CoreConfig core;
  rules::ActionSpec action;
  action.steps.resize(2);
  action.always.resize(1);
  action.steps[0].what = rules::RunStep{{"sh", "-c", "echo Passw0rd16 abc"}};
  action.steps[1].what = rules::RunStep{{"echo", "word"}};
  action.always[0].what = rules::CaptureStep{"out", {"echo", "Passw0rd16"}};
  core.actions = {action};
  watcher::hide_secrets(core, config);
  const rules::ActionSpec& hidden = core.actions.front();
  CHECK(rules::describe(hidden.steps[0]) == "run sh -c echo <redacted> abc");
  CHECK(rules::describe(hidden.steps[1]) == "run echo word");
  CHECK(rules::describe(hidden.always[0]) == "capture out: echo <redacted>");
  // It is run as it stands.
  CHECK(std::get<rules::RunStep>(hidden.steps[0].what).argv[2] == "echo Passw0rd16 abc");
}
