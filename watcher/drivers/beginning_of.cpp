#include "watcher/drivers/beginning_of.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "probes/net/descriptor.hpp"

namespace watcher {

// Not by a stream, which reads eight thousand bytes: every service's commands are looked at again and again.
std::optional<std::string> beginning_of(const std::string& file) {
  constexpr std::size_t looked_at = 255;  // bytes
  const probes::Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.is_open()) return std::nullopt;
  std::string out(looked_at, '\0');
  ssize_t count = 0;
  do {
    count = ::read(opened.number(), out.data(), out.size());
  } while (count == -1 && errno == EINTR);
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return out;
}

}  // namespace watcher
