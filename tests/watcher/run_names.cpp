#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "run_here.hpp"
#include "watcher/run/names.hpp"

namespace {

using rules::Revision;

const std::string commit = "3f2a9c1d7e8b4455667788990011223344556677";
const std::string alike = "3f2a9c1d7e8bffff667788990011223344556677";

// Says what it is told to say of every name.
class NamingDriver final : public watcher::Driver {
 public:
  explicit NamingDriver(watcher::NameMeans says) : says_(std::move(says)) {}
  watcher::asio::awaitable<rules::RevisionRead> identify() override { co_return rules::RevisionRead(); }
  watcher::asio::awaitable<rules::ReadinessRead> ready(std::optional<Revision>) override {
    co_return rules::ReadinessRead();
  }
  watcher::asio::awaitable<rules::StepResult> switch_to(watcher::SwitchRequest) override {
    co_return rules::StepResult();
  }
  watcher::asio::awaitable<watcher::NameMeans> meaning_of(std::string name) override {
    asked.push_back(std::move(name));
    co_return says_;
  }
  std::string aftermath() const override { return ""; }

  std::vector<std::string> asked;

 private:
  watcher::NameMeans says_;
};

watcher::Meant meant(const std::string& word, watcher::Driver* driver, const std::vector<std::string>& known) {
  std::vector<Revision> revisions;
  for (const std::string& one : known) revisions.emplace_back(one);
  return tests::run_here(watcher::meant_by(Revision(word), driver, std::move(revisions)));
}

}  // namespace

TEST_CASE("SPEC 2.24: what is printed of a revision that is known may be typed, also for a driver without names") {
  const watcher::Meant by_digits = meant(commit.substr(0, 12), nullptr, {commit, "v1"});
  CHECK(by_digits.revision.text == commit);
  CHECK(by_digits.exists);
  CHECK(meant("v1", nullptr, {commit, "v1"}).revision.text == "v1");
  CHECK(meant("sha256:" + commit.substr(0, 6), nullptr, {"sha256:" + commit}).revision.text == "sha256:" + commit);
}

TEST_CASE("SPEC 2.24: a prefix that several revisions have is refused, and they are listed") {
  const watcher::Meant both = meant("3f2a9c", nullptr, {commit, alike});
  CHECK(both.revision.empty());
  CHECK(both.is_ambiguous);
  CHECK(both.refused == "3f2a9c is ambiguous: " + commit + ", " + alike);
  CHECK(meant("3f2a9c1d7e8bf", nullptr, {commit, alike}).revision.text == alike);
}

TEST_CASE("the tag of an image that is known may be typed") {
  const std::vector<std::string> images{"registry:5000/shop:v1.4.0", "registry:5000/shop:v1.5.0"};
  CHECK(meant("v1.4.0", nullptr, images).revision.text == images[0]);
  CHECK(meant("v1.4.0", nullptr, images).exists);
  CHECK(meant("shop:v1.5.0", nullptr, images).revision.text == images[1]);
  CHECK(meant("registry:5000/shop:v1.6.0", nullptr, images).revision.text == "registry:5000/shop:v1.6.0");
  CHECK(meant("4.0", nullptr, images).refused ==
        "4.0 is not how what runs is called; known are " + images[0] + ", " + images[1]);
  const watcher::Meant both = meant("v1", nullptr, {"a/shop:v1", "b/shop:v1"});
  CHECK(both.revision.empty());
  CHECK(both.refused == "v1 is ambiguous: a/shop:v1, b/shop:v1");
  CHECK_FALSE(both.is_ambiguous);  // a deploy script that says so is not stopped
}

TEST_CASE("where commits are what runs, a word that is none is refused before anything is done") {
  CHECK(meant("v1.0.0", nullptr, {commit, alike}).refused ==
        "v1.0.0 is not how what runs is called; known are " + commit + ", " + alike);
  CHECK(meant("0123456789ab", nullptr, {commit}).revision.empty());
  const std::string unseen(40, 'a');
  CHECK(meant(unseen, nullptr, {commit}).revision.text == unseen);
  CHECK(meant("v1.0.0", nullptr, {commit, "v1"}).revision.text == "v1.0.0");
  CHECK(meant("v1.0.0", nullptr, {}).revision.text == "v1.0.0");
}

TEST_CASE("a version is not short for a longer one") {
  const watcher::Meant other = meant("1.0.1", nullptr, {"1.0.10", "registry.example.com/app:1.0.10"});
  CHECK(other.revision.text == "1.0.1");
  CHECK_FALSE(other.exists);
  CHECK(meant("3f2", nullptr, {commit}).refused.find("3f2 is not how what runs is called") == 0);
}

TEST_CASE("SPEC 2.24: a driver that knows names says what a word means, but an id that is known is itself") {
  watcher::NameMeans says;
  says.knows_names = true;
  says.meant = {Revision(alike)};
  NamingDriver driver(says);
  CHECK(meant("v1.0.0", &driver, {commit}).revision.text == alike);
  CHECK(meant(commit, &driver, {commit}).revision.text == commit);
  CHECK(driver.asked == std::vector<std::string>{"v1.0.0"});
}

TEST_CASE("SPEC 2.24: a word that means nothing to a driver that knows names is refused with its reason") {
  watcher::NameMeans says;
  says.knows_names = true;
  says.why_none = "v9 is no commit in /opt/app";
  NamingDriver driver(says);
  const watcher::Meant nothing = meant("v9", &driver, {commit});
  CHECK(nothing.revision.empty());
  CHECK(nothing.refused == "v9 is no commit in /opt/app");
  CHECK_FALSE(nothing.is_ambiguous);
  NamingDriver without({});
  CHECK(meant("v9", &without, {"v8"}).revision.text == "v9");
}

TEST_CASE("what was never seen is taken as it is typed where no driver can say what it means, and said to be so") {
  NamingDriver command(watcher::NameMeans{});
  const watcher::Meant first = meant("release-41", &command, {"release-42"});
  CHECK(first.revision.text == "release-41");
  CHECK_FALSE(first.exists);
  CHECK(first.is_unchecked);
  CHECK_FALSE(meant("release-42", &command, {"release-42"}).is_unchecked);
  CHECK_FALSE(meant("--all", &command, {}).is_unchecked);
  watcher::NameMeans silent;
  silent.why_none = "the runner does not answer";
  NamingDriver away(silent);
  CHECK_FALSE(meant("release-41", &away, {"release-42"}).is_unchecked);
}
