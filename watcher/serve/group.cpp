#include "watcher/serve/group.hpp"

#include <grp.h>

#include <array>
#include <charconv>
#include <system_error>

namespace watcher {

std::variant<unsigned, std::string> group_id(const std::string& group) {
  constexpr std::size_t entry_max = 16 * 1024;  // bytes; what sysconf suggests is 1 KiB
  unsigned number = 0;
  const auto read = std::from_chars(group.data(), group.data() + group.size(), number);
  if (read.ec == std::errc() && read.ptr == group.data() + group.size()) return number;
  std::array<char, entry_max> buffer{};
  struct group entry {};
  struct group* found = nullptr;
  getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return "there is no group " + group + "; create it, or change watcher.control_group";
  return found->gr_gid;
}

}  // namespace watcher
