#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>

#include "probes/parse/expect.hpp"
#include "probes/parse/json.hpp"
#include "require.hpp"

// The first line is the pointer, the second the expected value, the rest the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(data, data + size);
  const std::size_t first = std::min(input.find('\n'), input.size());
  const std::size_t second = std::min(input.find('\n', first + 1), input.size());
  const std::string pointer = input.substr(0, first);
  const std::string expected = first < input.size() ? input.substr(first + 1, second - first - 1) : "";
  const std::string body = second < input.size() ? input.substr(second + 1) : "";
  rules::Expectation expect;
  expect.json[pointer] = expected;
  const bool fine = !probes::check(expect, 200, body);
  const std::variant<probes::JsonBody, rules::Fault> parsed = probes::JsonBody::parse(body);
  if (const auto* const json = std::get_if<probes::JsonBody>(&parsed)) {
    require(json->equals(pointer, expected) == fine, "check and equals agree");
    require(!json->number(pointer) || json->text(pointer), "a number has a text");
  } else {
    require(!fine, "what is not JSON meets no expectation");
  }
  const probes::JsonFields fields({{"n", pointer}}, {{"c", {{pointer, expected}}}});
  fields.read(body);
  return 0;
}
