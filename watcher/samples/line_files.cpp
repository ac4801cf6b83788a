#include "watcher/samples/line_files.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "watcher/journal/files.hpp"

namespace watcher {

namespace {

constexpr std::size_t piece_size = 64 * 1024;
constexpr int compression_level = 3;

using TakePiece = std::function<bool(std::string_view piece)>;  // false: enough

// False: it could not be read to its end, or was not wanted to.
bool each_piece(const std::string& path, const TakePiece& take) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) return false;
  std::vector<char> piece(piece_size);
  for (;;) {
    const ssize_t count = ::read(file.number(), piece.data(), piece.size());
    if (count == -1 && errno == EINTR) continue;
    if (count <= 0) return count == 0;
    if (!take({piece.data(), static_cast<std::size_t>(count)})) return false;
  }
}

// Puts lines together that straddle pieces.
class Lines {
 public:
  explicit Lines(const TakeLine& take) : take_(take) {}

  bool push(std::string_view piece) {
    for (std::size_t end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
      hold(piece.substr(0, end));
      const bool wants_more = too_long_ || take_(held_);
      held_.clear();
      too_long_ = false;
      if (!wants_more) return false;
      piece.remove_prefix(end + 1);
    }
    hold(piece);
    return true;
  }

 private:
  void hold(std::string_view part) {
    too_long_ = too_long_ || held_.size() + part.size() > line_max;
    if (!too_long_) held_ += part;
  }

  const TakeLine& take_;
  std::string held_;
  bool too_long_ = false;
};

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

// Compresses into a file.
class Packer {
 public:
  explicit Packer(const std::string& path)
      : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, private_file)),
        context_(ZSTD_createCCtx()),
        out_(ZSTD_CStreamOutSize()) {
    if (context_) ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, compression_level);
  }

  bool push(std::string_view bytes) { return put(bytes, ZSTD_e_continue); }
  bool finish() { return put({}, ZSTD_e_end); }

 private:
  bool put(std::string_view bytes, ZSTD_EndDirective how) {
    if (!file_.is_open() || !context_) return false;
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (bool is_done = false; !is_done;) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, how);
      if (ZSTD_isError(left) != 0U) return false;
      if (!write_all(file_.number(), {out_.data(), out.pos})) return false;
      is_done = how == ZSTD_e_end ? left == 0 : in.pos == in.size;
    }
    return true;
  }

  Descriptor file_;
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  std::vector<char> out_;
};

}  // namespace

void each_line(const std::string& path, const TakeLine& take) {
  Lines lines(take);
  each_piece(path, [&lines](std::string_view piece) { return lines.push(piece); });
}

void each_compressed_line(const std::string& path, const TakeLine& take) {
  constexpr int window_log_max = 24;  // 16 MiB: what we write needs 2; a file that asks for more is not ours
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (!context) return;
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, window_log_max);
  Lines lines(take);
  std::vector<char> plain(ZSTD_DStreamOutSize());
  each_piece(path, [&](std::string_view piece) {
    ZSTD_inBuffer in{piece.data(), piece.size(), 0};
    for (bool is_full = true; in.pos < in.size || is_full;) {
      ZSTD_outBuffer out{plain.data(), plain.size(), 0};
      if (ZSTD_isError(ZSTD_decompressStream(context.get(), &out, &in)) != 0U) return false;
      if (!lines.push({plain.data(), out.pos})) return false;
      is_full = out.pos == out.size;
    }
    return true;
  });
}

bool compress_lines(const std::string& from, const std::string& into, std::string_view last) {
  Packer packer(into);
  bool is_written = true;
  std::string whole;
  each_line(from, [&](std::string_view line) {
    whole.assign(line);
    whole += '\n';
    is_written = packer.push(whole);
    return is_written;
  });
  return is_written && packer.push(last) && packer.finish();
}

}  // namespace watcher
