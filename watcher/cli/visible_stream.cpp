#include "watcher/cli/visible_stream.hpp"

#include "watcher/report/visible.hpp"

namespace watcher {

namespace {

constexpr std::size_t held_max = 64 * 1024;  // bytes, of a line that does not end

}  // namespace

// Up to the end of the last line, or of what is there: a sequence that came in pieces is seen whole.
void VisibleStream::Buffer::pass(bool whole) {
  const std::size_t line_end = held_.rfind('\n');
  const bool all = whole || held_.size() > held_max;
  const std::size_t size = all ? held_.size() : line_end == std::string::npos ? 0 : line_end + 1;
  if (size == 0) return;
  to_ << visible(std::string_view(held_).substr(0, size));
  held_.erase(0, size);
}

VisibleStream::Buffer::int_type VisibleStream::Buffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  held_ += traits_type::to_char_type(c);
  if (traits_type::to_char_type(c) == '\n') pass(false);
  return to_ ? c : traits_type::eof();
}

std::streamsize VisibleStream::Buffer::xsputn(const char* text, std::streamsize size) {
  held_.append(text, static_cast<std::size_t>(size));
  pass(false);
  return to_ ? size : 0;
}

int VisibleStream::Buffer::sync() {
  pass(true);
  to_.flush();
  return to_ ? 0 : -1;
}

VisibleStream::VisibleStream(std::ostream& to) : std::ostream(nullptr), buffer_(to) { rdbuf(&buffer_); }

VisibleStream::~VisibleStream() { buffer_.pass(true); }

}  // namespace watcher
