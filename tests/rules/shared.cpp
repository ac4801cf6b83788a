#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "rules/base/shared_list.hpp"
#include "rules/base/shared_text.hpp"

using rules::SharedList;
using rules::SharedText;

TEST_CASE("copies of a shared list are one in memory until one of them is changed, which changes no other") {
  SharedList<std::string> first{"a", "b"};
  const SharedList<std::string> second = first;
  CHECK(&std::as_const(first)[0] == &second[0]);
  first.push_back("c");
  first[0] = "A";
  CHECK(first.size() == 3);
  CHECK(second.size() == 2);
  CHECK(second[0] == "a");
  CHECK(second.all() == std::vector<std::string>{"a", "b"});
  first.clear();
  CHECK(first.empty());
  CHECK(second.back() == "b");
}

TEST_CASE("a shared list that nobody filled is empty, and may be filled") {
  SharedList<int> list;
  CHECK(list.empty());
  CHECK(std::as_const(list).begin() == std::as_const(list).end());
  for (int& item : list) item = 1;
  list.push_back(2);
  CHECK(list.front() == 2);
}

TEST_CASE("a shared text is its text, whoever has it") {
  const SharedText one("p95 > 3s");
  const SharedText other = one;
  CHECK(&one.str() == &other.str());
  CHECK(one == SharedText(std::string("p95 > 3s")));
  CHECK_FALSE(one == SharedText());
  CHECK(SharedText().empty());
  CHECK(SharedText().str().empty());
}
