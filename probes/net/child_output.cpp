#include "probes/net/child_output.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include "probes/net/result.hpp"

namespace probes {

namespace {

constexpr std::size_t end_max = 1024;         // bytes of standard error's end
constexpr std::size_t piece_max = 16 * 1024;  // bytes a read; the loop serves others between reads

void adopt(asio::posix::stream_descriptor& pipe, int descriptor) {
  if (descriptor == -1) return;
  pipe.assign(descriptor);
  pipe.non_blocking(true);
}

}  // namespace

ChildOutput::ChildOutput(const asio::any_io_executor& executor, const Spawned& spawned, std::int64_t max,
                         MemoryBudget::Account* account)
    : out_(executor), err_(executor), ended_(executor), max_(max), account_(account) {
  adopt(out_, spawned.out);
  adopt(err_, spawned.err);
}

void ChildOutput::start() {
  read_on(out_);
  read_on(err_);
}

void ChildOutput::read_on(Pipe& pipe) {
  if (!pipe.is_open()) return;
  const auto on_ready = [self = shared_from_this(), &pipe](const boost::system::error_code& error) {
    if (error || !pipe.is_open()) return;
    if (self->read_some(pipe)) self->read_on(pipe);
  };
  pipe.async_wait(Pipe::wait_read, on_ready);
}

bool ChildOutput::read_some(Pipe& pipe) {
  std::array<char, piece_max> piece;
  boost::system::error_code error;
  const std::size_t count = pipe.read_some(asio::buffer(piece), error);
  if (error == asio::error::would_block || error == asio::error::interrupted) return true;
  if (!error) {
    keep(pipe, piece.data(), count);
    return true;
  }
  pipe.close(error);
  if (!out_.is_open() && !err_.is_open()) ended_.cancel();
  return false;
}

void ChildOutput::keep(const Pipe& pipe, const char* bytes, std::size_t count) {
  const auto room = static_cast<std::size_t>(std::max<std::int64_t>(max_ - static_cast<std::int64_t>(all_.size()), 0));
  const std::size_t kept = std::min(room, count);
  all_.append(bytes, kept);
  if (&pipe == &out_) standard_.append(bytes, kept);
  if (&pipe == &err_) {
    err_end_.append(bytes, count);
    if (err_end_.size() > end_max) err_end_.erase(0, err_end_.size() - end_max);
  }
  dropped_ += static_cast<std::int64_t>(count - kept);
  if (account_ == nullptr || kept == 0 || account_->hold(all_.capacity() + standard_.capacity())) return;
  dropped_ += static_cast<std::int64_t>(all_.size());
  max_ = 0;
  all_ = {};
  standard_ = {};
  account_->hold(0);
}

asio::awaitable<void> ChildOutput::drained(rules::Duration limit) {
  if (!out_.is_open() && !err_.is_open()) co_return;
  ended_.expires_after(limit);
  co_await ended_.async_wait(as_result);
}

void ChildOutput::stop() {
  boost::system::error_code ignored;
  out_.close(ignored);
  err_.close(ignored);
}

}  // namespace probes
