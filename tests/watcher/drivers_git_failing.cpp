#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <iterator>

#include "drivers_git_shop.hpp"

// After a switch that failed all is as it was before.

namespace {

using namespace drivers_support;
using rules::StepStatus;

constexpr const char* local_changes[] = {
    "true",
    "echo patched > backend/api",
    "echo patched > backend/api; git add backend/api",
    "echo 1 > backend/api; git add backend/api; echo 2 > backend/api",
    "echo new > backend/new; git add backend/new",
    "echo new > backend/new; git add -N backend/new",
    "rm backend/api",
    "git rm -q backend/api",
    "git mv backend/api backend/moved",
    "chmod +x backend/api",
    "git rm -q --cached backend/api; echo patched > backend/api",
    "ln -s /nowhere backend/link; git add backend/link",
    "rm backend/api; mkdir backend/api; echo new > backend/api/new",
    "rm backend/api; ln -s only-in-three backend/api",
    "git update-index --assume-unchanged backend/api; echo patched > backend/api",
    "git update-index --skip-worktree backend/api; echo patched > backend/api",
    "echo mine > backend/only-in-one; echo mine > backend/only-in-two",
    "echo 'only-in-one' > .gitignore; echo secret > backend/only-in-one; git add .gitignore",
    "git checkout -q -b side; echo patched > backend/api; git add .; echo page > frontend/page; git add .",
    "git checkout -q --detach; echo patched > backend/api",
};

// Every file outside .git with its kind, mode, target and content; the index with its flags; HEAD and the branch.
std::string all_of(const Shop& shop) {
  const std::string answer = shop.folder.path + "/all";
  const std::string command =
      "{ cd " + shop.repository +
      " && find . -name .git -prune -o ! -type d -printf '%p %y %m %l\\n' -type f -exec cat {} + | sort && "
      "git ls-files -v --stage && git status --porcelain --ignored --untracked-files=all && git rev-parse HEAD && "
      "git branch --show-current && git diff-files; } > " +
      answer;
  REQUIRE(std::system(command.c_str()) == 0);
  return content(answer);
}

struct FailingShop : Shop {
  std::string broken;  // has a file that no disk takes

  explicit FailingShop(bool partial, const std::string& changed) {
    if (partial) config.paths = {"backend"};
    in_tree(
        "git checkout -q --detach; echo broken > backend/api; echo new > backend/early; git add backend; "
        "git update-index --add --cacheinfo 100644,$(git rev-parse HEAD:version),backend/z$(printf '%0300d' 0); "
        "git commit -q -m broken; git rev-parse HEAD > ../broken; git checkout -q -f main");
    broken = content(folder.path + "/broken").substr(0, 40);
    in_tree("mkdir uploads; echo mine > uploads/a; echo secret > .env; echo .env >> .git/info/exclude");
    in_tree(changed);
  }
};

// Every so manieth of the changes: each costs some dozens of processes.
void each(std::size_t stride, const std::function<void(FailingShop&)>& test) {
  for (const bool partial : {false, true}) {
    for (std::size_t i = partial ? 1 : 0; i < std::size(local_changes); i += stride) {
      const char* const changed = local_changes[i];
      INFO(std::string(changed), std::string(partial ? ", partial" : ""));
      FailingShop shop(partial, changed);
      test(shop);
    }
  }
}

}  // namespace

TEST_CASE("after a build that failed the whole tree is as before it") {
  each(1, [](FailingShop& shop) {
    write(shop.folder.path + "/break-build", "");
    const std::string running = shop.identified();
    const std::string before = all_of(shop);
    const rules::StepResult result = shop.roll_back_to(shop.first);
    INFO(result.detail);
    CHECK(result.status == StepStatus::failed);
    CHECK(contains(result.detail, "is checked out again"));
    CHECK_FALSE(result.nothing_begun);
    CHECK(all_of(shop) == before);
    CHECK(shop.identified() == running);
  });
}

TEST_CASE("after a restart that failed the whole tree is as before it, and what ran is built and restarted") {
  each(4, [](FailingShop& shop) {
    const std::string ran = content(shop.repository + "/version");
    if (!shop.config.paths.empty()) shop.config.paths.push_back("version");
    shop.config.restart = {script(shop.folder.path + "/restart", "cp version ../running; ! grep -q one version\n")};
    const std::string running = shop.identified();
    const std::string before = all_of(shop);
    const rules::StepResult result = shop.roll_back_to(shop.first);
    INFO(result.detail);
    CHECK(result.status == StepStatus::failed);
    CHECK(contains(result.detail, "is checked out again, built and restarted"));
    CHECK(all_of(shop) == before);
    CHECK(shop.identified() == running);
    CHECK(shop.truly_running() == ran);
    CHECK(content(shop.folder.path + "/built") == ran);
  });
}

TEST_CASE("after a checkout that failed in the middle the whole tree is as before it") {
  each(3, [](FailingShop& shop) {
    const std::string running = shop.identified();
    const std::string before = all_of(shop);
    const rules::StepResult result = shop.roll_back_to(shop.broken);
    INFO(result.detail);
    CHECK(result.status == StepStatus::failed);
    CHECK(contains(result.detail, "File name too long"));
    CHECK(contains(result.detail, "is checked out again"));
    CHECK(all_of(shop) == before);
    CHECK(shop.identified() == running);
    CHECK_FALSE(std::filesystem::exists(shop.folder.path + "/built"));
  });
}

TEST_CASE("a switch that is refused after something was put away puts it back and says that nothing was changed") {
  Shop shop;
  // Git fails to write the stash's own reference.
  shop.in_tree("echo patched > backend/api; git add backend/api; mkdir -p .git/refs/stash.lock");
  const std::string before = all_of(shop);
  const rules::StepResult result = shop.roll_back_to(shop.first);
  INFO(result.detail);
  CHECK(result.status == StepStatus::failed);
  CHECK(result.nothing_begun);
  CHECK(all_of(shop) == before);
}

TEST_CASE("what stands in the way and cannot be put away is told before anything is changed, also when asked") {
  for (const bool partial : {false, true}) {
    Shop shop;
    if (partial) shop.config.paths = {"backend"};
    shop.in_tree("mkdir backend/lib; echo x > backend/lib/x");
    const std::string target = shop.release("vendored");
    shop.in_tree("git rm -rq backend/lib; git commit -q -m gone; git init -q backend/lib; echo mine > backend/lib/x");
    shop.in_tree("echo patched > backend/api");
    const std::string before = all_of(shop);
    CHECK(contains(ready(*shop.driver(), target).reason, "backend/lib/ is in the way"));
    const rules::StepResult result = shop.roll_back_to(target);
    CHECK(result.nothing_begun);
    CHECK(contains(result.detail, "backend/lib/ is in the way"));
    CHECK(shop.asked("stash list").empty());
    CHECK(all_of(shop) == before);
  }
}

TEST_CASE("a submodule that is a folder in the target is not written over") {
  for (const bool partial : {false, true}) {
    ShopWithLibrary shop;
    if (partial) shop.config.paths = {"lib", "version"};
    shop.in_tree("git rm -q -f lib; rm -rf .git/modules/lib; mkdir lib; echo vendored > lib/code; git add lib");
    const std::string target = shop.release("vendored");
    shop.in_tree("git checkout -q " + shop.new_release + " && rm -rf lib && git " + protocol +
                 "submodule --quiet update --init || true");
    write(shop.repository + "/lib/code", "mine\n");
    const rules::StepResult result = shop.roll_back_to(target);
    INFO(result.detail);
    CHECK(result.status == StepStatus::failed);
    CHECK(result.nothing_begun);
    CHECK(contains(result.detail, "lib/ is in the way"));
    CHECK(content(shop.repository + "/lib/code") == "mine\n");
  }
}

TEST_CASE("a file that git was told to skip is stashed by a git switch and not written over") {
  for (const bool partial : {false, true}) {
    Shop shop;
    if (partial) shop.config.paths = {"backend"};
    shop.in_tree("git update-index --skip-worktree backend/api; echo patched > backend/api");
    const rules::StepResult result = shop.roll_back_to(shop.first);
    INFO(result.detail);
    REQUIRE(result.status == StepStatus::succeeded);
    CHECK(content(shop.repository + "/backend/api") == "api of one\n");
    shop.obey(partial ? "to return to HEAD's: " : "to return to the branch: ");
    shop.obey("to have them back: ");
    CHECK(content(shop.repository + "/backend/api") == "patched\n");
  }
}

TEST_CASE("what is written while the target is checked out is put away on going back, and named") {
  for (const bool partial : {false, true}) {
    Shop shop;
    if (partial) shop.config.paths = {"backend"};
    shop.config.build = {std::vector<std::string>{script(
        shop.folder.path + "/build", "echo theirs > backend/only-in-three; echo theirs > backend/api; exit 1\n")}};
    const rules::StepResult result = shop.roll_back_to(shop.first);
    INFO(result.detail);
    CHECK(contains(result.detail, "is checked out again"));
    CHECK(content(shop.repository + "/backend/only-in-three").empty());
    CHECK(content(shop.repository + "/backend/api") == "api of three\n");
    CHECK(
        contains(result.detail, "while the target was checked out, something was changed. Local changes are stashed"));
    shop.in_tree("for id in $(git stash list --format=%H); do git show $id:backend/api; done > ../kept");
    CHECK(contains(content(shop.folder.path + "/kept"), "theirs"));
  }
}

TEST_CASE("a git switch that is broken off in its restart goes back, and what ran is built and restarted") {
  Shop shop;
  shop.config.restart = {script(shop.folder.path + "/restart",
                                "rm -f ../running; grep -q one version && tail -f /dev/null; cp version ../running\n")};
  const auto driver = shop.driver();
  watcher::SwitchRequest request;
  request.from = rules::Revision(shop.third);
  request.to = rules::Revision(shop.first);
  request.limit = 60s;
  boost::asio::io_context loop;
  boost::asio::cancellation_signal cancel;
  std::optional<rules::StepResult> result;
  boost::asio::co_spawn(loop, driver->switch_to(std::move(request)),
                        boost::asio::bind_cancellation_slot(
                            cancel.slot(), [&](std::exception_ptr, rules::StepResult ended) { result = ended; }));
  while (std::filesystem::exists(shop.folder.path + "/running")) loop.run_for(10ms);
  cancel.emit(boost::asio::cancellation_type::terminal);
  loop.run();
  REQUIRE(result);
  INFO(result->detail);
  CHECK(result->status == StepStatus::interrupted);
  CHECK(contains(result->detail, "is checked out again, built and restarted"));
  CHECK(shop.truly_running() == "three\n");
}
