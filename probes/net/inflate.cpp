#include "probes/net/inflate.hpp"

#include <zlib.h>

#include <array>

namespace probes {

namespace {

constexpr std::size_t piece_size = 16 * 1024;  // bytes that come out at once
constexpr int window_bits = 15;                // the largest
constexpr int detect_frame = 32;               // zlib's word for: gzip or zlib, whichever it is

// The first byte of gzip, or of zlib's frame: deflate with a window of at most 32 KiB.
bool has_frame(char c) {
  const auto first = static_cast<unsigned char>(c);
  return first == 0x1f || ((first & 0x0f) == Z_DEFLATED && (first >> 4) <= 7);
}

}  // namespace

struct Inflater::Stream {
  z_stream z{};
  std::array<char, piece_size> out;
  bool is_usable = false;

  explicit Stream(int bits) { is_usable = inflateInit2(&z, bits) == Z_OK; }
  ~Stream() {
    if (is_usable) inflateEnd(&z);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int step() {
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    return inflate(&z, Z_NO_FLUSH);
  }
  std::size_t given() const { return out.size() - z.avail_out; }
};

Inflater::Inflater(std::int64_t size_max) : size_max_(size_max) {}
Inflater::~Inflater() = default;

void Inflater::fail(const std::string& what) {
  if (!fault_) fault_ = rules::Fault{rules::FaultKind::parse, what};
}

bool Inflater::begin(std::string_view bytes) {
  stream_ = std::make_unique<Stream>(has_frame(bytes.front()) ? window_bits + detect_frame : -window_bits);
  if (!stream_->is_usable) fail("the compressed body cannot be read: no memory");
  return stream_->is_usable;
}

// One gzip may follow another; zeros fill blocks up.
bool Inflater::begin_again() {
  z_stream& z = stream_->z;
  while (z.avail_in > 0 && *z.next_in == 0) {
    ++z.next_in;
    --z.avail_in;
  }
  if (z.avail_in == 0) return false;
  ended_ = false;
  if (*z.next_in == 0x1f && inflateReset(&z) == Z_OK) return true;
  fail("the compressed body goes on behind its end");
  return false;
}

bool Inflater::give(std::size_t count, const Take& take) {
  size_ += static_cast<std::int64_t>(count);
  if (size_ > size_max_) {
    fault_ = rules::Fault{rules::FaultKind::too_large, "the body is larger than " + std::to_string(size_max_) +
                                                           " bytes when it is decompressed; raise body_max"};
    return false;
  }
  return count == 0 || take(std::string_view(stream_->out.data(), count));
}

bool Inflater::push(std::string_view bytes, const Take& take) {
  if (fault_) return false;
  if (bytes.empty()) return true;
  if (!stream_ && !begin(bytes)) return false;
  z_stream& z = stream_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // it is only read
  z.avail_in = static_cast<uInt>(bytes.size());
  if (ended_ && !begin_again()) return !fault_;
  for (;;) {
    const int result = stream_->step();
    if (!give(stream_->given(), take)) return false;
    if (result == Z_STREAM_END) {
      ended_ = true;
      if (!begin_again()) return !fault_;
    } else if (result == Z_BUF_ERROR || (result == Z_OK && z.avail_in == 0 && z.avail_out > 0)) {
      return true;
    } else if (result != Z_OK) {
      fail("the compressed body is damaged");
      return false;
    }
  }
}

void Inflater::finish() {
  if (stream_ && !ended_) fail("the compressed body is cut off");
}

}  // namespace probes
