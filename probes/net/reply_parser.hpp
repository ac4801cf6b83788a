#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "probes/net/http_client.hpp"
#include "rules/base/fault.hpp"

namespace probes {

inline constexpr std::size_t header_max = 32 * 1024;  // bytes of a response's header; servers allow 8 to 16 KiB

// Reads one response from bytes as they come, with Beast's parser. A few interim responses (1xx) are passed
// over.
class ReplyParser {
 public:
  // A body of status 200 goes to the sink when there is one. The request must live as long.
  ReplyParser(const HttpRequest& request, const BodySink* sink);
  ~ReplyParser();
  ReplyParser(const ReplyParser&) = delete;
  ReplyParser& operator=(const ReplyParser&) = delete;

  // Returns how many bytes were used; the rest is to be given again together with more.
  std::size_t push(std::string_view bytes);
  // The peer closed, and what its end of the body is called. Returns false when that leaves the response incomplete.
  bool end(BodyEnd by);

  bool done() const;                                 // whole, or the sink wants no more
  std::uint64_t missing() const;                     // bytes of the body, where its length is said; 0: not known
  bool keep_alive() const;                           // the connection can be used again
  const std::optional<rules::Fault>& fault() const;  // not HTTP, or too large; without what was attempted
  HttpReply take();

 private:
  class Parser;
  void begin();
  void pass_over_interim();

  const HttpRequest& request_;
  const BodySink* sink_;
  std::optional<rules::Fault> fault_;
  int interim_ = 0;
  std::unique_ptr<Parser> parser_;
};

}  // namespace probes
