#include "probes/memory_budget.hpp"

#include <doctest/doctest.h>

// How what all targets together may make us keep is shared.

namespace {

using probes::MemoryBudget;
using Account = MemoryBudget::Account;
using rules::ProbeName;

const ProbeName one("one");
const ProbeName other("other");

}  // namespace

TEST_CASE("a target may have all of the budget that nobody else needs") {
  MemoryBudget budget(1000);
  Account account(&budget, one, 0);
  const Account idle(&budget, other, 0);
  CHECK(account.room() == 1000);
  CHECK(account.hold(1000));
  CHECK(account.room() == 0);
  CHECK_FALSE(account.hold(1001));
  CHECK(account.hold(400));
  CHECK(budget.held() == 400);
}

TEST_CASE("a target within its share is never refused, whatever another one holds") {
  MemoryBudget budget(1000);
  Account greedy(&budget, one, 0);
  Account modest(&budget, other, 0);
  CHECK(greedy.hold(900));
  CHECK(modest.room() == 500);
  CHECK(modest.hold(500));
  CHECK_FALSE(modest.hold(501));
  CHECK_FALSE(greedy.hold(900));
  CHECK(greedy.hold(499));
  CHECK(modest.hold(501));
}

TEST_CASE("what windows keep counts for the target that brought it, and goes with it") {
  MemoryBudget budget(1000);
  {
    Account account(&budget, one, 3);
    budget.kept_in_windows(one, 3, 800);
    CHECK(account.hold(200));
    CHECK_FALSE(account.hold(201));
    CHECK(account.refusal().find(" of it in windows") != std::string::npos);
    budget.kept_in_windows(one, 3, 100);
    CHECK(account.hold(900));
    budget.kept_in_windows(one, 4, 100);
    budget.kept_in_windows(other, 3, 100);
    CHECK(budget.held() == 1000);
  }
  CHECK(budget.held() == 0);
}

TEST_CASE("several accounts of one target are one target") {
  MemoryBudget budget(1000);
  Account page(&budget, one, 0);
  Account body(&budget, one, 0);
  Account others(&budget, other, 0);
  CHECK(others.hold(900));
  CHECK(page.hold(300));
  CHECK(body.hold(200));
  CHECK_FALSE(body.hold(201));
  CHECK(Account(nullptr, one, 0).hold(1'000'000));
}

TEST_CASE("a target that is refused again and again is put off for longer each time, and forgiven once it fits") {
  MemoryBudget budget(1000);
  Account account(&budget, one, 0);
  const auto polls_put_off = [&account] {
    int polls = 0;
    while (account.is_put_off()) ++polls;
    return polls;
  };
  CHECK(polls_put_off() == 0);
  for (const int polls : {1, 3, 7, 15, 31, 63, 64, 64}) {
    account.put_off();
    CHECK(polls_put_off() == polls);
  }
  for (int i = 0; i < 256; ++i) CHECK_FALSE(account.is_put_off());
  account.put_off();
  CHECK(polls_put_off() == 1);
}
