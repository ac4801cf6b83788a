#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "rules/base/seldom.hpp"

namespace {

using Names = rules::Seldom<std::map<std::string, int>>;

}  // namespace

TEST_CASE("what is nearly always empty takes the room of a pointer meanwhile") {
  CHECK(sizeof(Names) == sizeof(void*));
  CHECK(sizeof(rules::Boxed<std::map<std::string, int>>) == sizeof(void*));
}

TEST_CASE("a seldom container with nothing in it answers as an empty one does") {
  Names names;
  const Names& seen = names;
  CHECK(names.empty());
  CHECK(names.size() == 0);
  CHECK(names.begin() == names.end());
  CHECK(seen.begin() == seen.end());
  CHECK(names.find("a") == names.end());
  CHECK(seen.find("a") == seen.end());
  CHECK(names.lower_bound("a") == names.end());
  CHECK_FALSE(names.contains("a"));
  CHECK(names.erase("a") == 0);
  names.erase_if([](const auto&) { return true; });
  CHECK(seen.all().empty());
}

TEST_CASE("a seldom container keeps what is put into it, and its copies are copies") {
  Names names;
  names["a"] = 1;
  names.emplace("b", 2);
  names.try_emplace("c", 3);
  names.insert(std::pair<const std::string, int>("d", 4));
  CHECK(names.size() == 4);
  const Names copy = names;
  CHECK(names.erase("a") == 1);
  CHECK(names.erase(names.find("b")) == names.find("c"));
  names.erase_if([](const auto& one) { return one.second == 3; });
  CHECK(names.all() == std::map<std::string, int>{{"d", 4}});
  CHECK(copy.size() == 4);
  const Names moved = std::move(names);
  CHECK(moved.contains("d"));
}

TEST_CASE("a seldom container becomes what it is set to, also nothing") {
  Names names;
  names = std::map<std::string, int>{{"a", 1}};
  const std::map<std::string, int>& items = names;
  CHECK(items.at("a") == 1);
  names = std::map<std::string, int>();
  CHECK(names.empty());
  names["b"] = 2;
  names.clear();
  CHECK(names.find("b") == names.end());
}

TEST_CASE("a boxed value is there or not, as an optional one is") {
  rules::Boxed<std::string> name;
  CHECK_FALSE(name);
  CHECK_FALSE(name == std::string());
  CHECK_FALSE(std::optional<std::string>(name).has_value());
  name = std::string("web");
  CHECK(name.has_value());
  CHECK(name == std::string("web"));
  CHECK(name->size() == 3);
  CHECK(std::optional<std::string>(name) == "web");
  CHECK(name.take() == "web");
  CHECK_FALSE(name.has_value());
  CHECK(name.take() == std::nullopt);
  name = std::optional<std::string>("api");
  CHECK(*name == "api");
  name = std::optional<std::string>();
  CHECK_FALSE(name.has_value());
  name = std::string("api");
  name = std::nullopt;
  CHECK_FALSE(name.has_value());
}
