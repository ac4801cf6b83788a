#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "rules/base/fault.hpp"

namespace probes {

// Undoes the compression of a body, piece by piece: gzip, or deflate with and without zlib's frame, as servers send
// both under that name. Not asked for, but some servers insist.
class Inflater {
 public:
  // What comes out is at most `size_max` bytes: a few kilobytes may stand for gigabytes.
  explicit Inflater(std::int64_t size_max);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  using Take = std::function<bool(std::string_view piece)>;  // false: enough
  // False when no more need come: there is a fault, or `take` had enough.
  bool push(std::string_view bytes, const Take& take);
  // The body has ended.
  void finish();
  const std::optional<rules::Fault>& fault() const { return fault_; }

 private:
  struct Stream;
  bool begin(std::string_view bytes);
  bool begin_again();
  bool give(std::size_t count, const Take& take);
  void fail(const std::string& what);

  std::int64_t size_max_;
  std::int64_t size_ = 0;  // what came out so far
  bool ended_ = false;     // a whole stream was read; another may follow
  std::optional<rules::Fault> fault_;
  std::unique_ptr<Stream> stream_;  // none before the first byte
};

}  // namespace probes
