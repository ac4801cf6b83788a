#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/ask/filling_in.hpp"
#include "probes/net/cookies.hpp"
#include "probes/net/http_client.hpp"
#include "probes/parse/json.hpp"
#include "rules/base/fault.hpp"

namespace probes {

enum class SaveFrom { json, header, cookie, regex };

// Where in an answer a value is that a step saves: json:/POINTER, header:NAME, cookie:NAME, regex:PATTERN.
struct SaveSource {
  SaveFrom from = SaveFrom::json;
  std::string what;
};
std::optional<SaveSource> parse_save_source(std::string_view text);  // nullopt: none of these
std::string wrong_save_source(const std::string& text);              // for people; empty: nothing is

// What one step of a journey saves of its answer.
class Saver {
 public:
  explicit Saver(const std::map<std::string, std::string>& save);  // name -> source; none of them is wrong
  Saver(Saver&&) noexcept;
  ~Saver();
  // The fault of the first value that is not there, or too long.
  std::optional<rules::Fault> save(const HttpReply& reply, const CookieJar& jar, Saved& saved,
                                   std::size_t room = json_room_any) const;

 private:
  struct Wish;
  std::vector<Wish> wishes_;
};

}  // namespace probes
