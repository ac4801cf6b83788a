#pragma once

#include <zlib.h>

#include <string>

namespace tests {

// zlib's words for what stands around the compressed bytes.
inline constexpr int gzip_frame = 15 + 16;
inline constexpr int zlib_frame = 15;
inline constexpr int no_frame = -15;

inline std::string compressed(const std::string& text, int frame = gzip_frame) {
  z_stream z{};
  deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, frame, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // it is only read
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace tests
