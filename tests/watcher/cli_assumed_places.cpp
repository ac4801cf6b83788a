#include "watcher/cli/assumed_places.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "config_files.hpp"
#include "test_folder.hpp"

namespace {

using watcher::OnlineFinding;

const std::string kubernetes =
    "[service.web]\ndriver = 'kubernetes'\nhealth = 'http://127.0.0.1/h'\nrules = ['down for 30s']\n";

std::string said(const std::string& text) {
  std::string out;
  for (const OnlineFinding& finding : watcher::assumed_places(loaded(text)))
    out += (finding.kind == OnlineFinding::Kind::fine ? "fine: " : "advice: ") + finding.text + "\n";
  return out;
}

}  // namespace

TEST_CASE("which Deployment is taken where none is named is said, and where it is looked for") {
  CHECK(said(kubernetes) ==
        "fine: switches the Deployment web (the service's name; say another as deployment = \"...\"), in the namespace "
        "of "
        "the current context of the kubeconfig that kubectl finds, or of the pod's service account\n");
  CHECK(said(kubernetes + "deployment = 'shop'\nnamespace = 'prod'\ncontext = 'east'\n") ==
        "fine: switches the Deployment shop, in the namespace prod, of the context east of the kubeconfig that kubectl "
        "finds, or of the pod's service account\n");
}

TEST_CASE("a kubeconfig and a folder that are not there are not called fine") {
  const TestFolder folder;
  const std::string text =
      kubernetes + "kubeconfig = '" + folder.path + "/kubeconfig'\ndir = '" + folder.path + "/app'\n";
  CHECK(said(text).find("advice: its folder " + folder.path + "/app is not there") == 0);
  CHECK(said(text).find("advice: its kubeconfig " + folder.path + "/kubeconfig is not there") != std::string::npos);
  std::ofstream(folder.path + "/kubeconfig") << "";
  CHECK(said(text).find("its kubeconfig") == std::string::npos);
}

TEST_CASE("of several drivers the folder of each is looked for") {
  const TestFolder folder;
  const std::string text =
      "[service.web]\ndriver = ['kubernetes', 'git']\nhealth = 'http://127.0.0.1/h'\nrules = ['down for 30s']\n"
      "[service.web.git]\nrestart = ['true']\ndir = '" +
      folder.path + "/checkout'\n";
  CHECK(said(text).find(folder.path + "/checkout is not there") != std::string::npos);
  CHECK(said(text).find("switches the Deployment web") != std::string::npos);
}
