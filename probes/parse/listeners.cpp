#include "probes/parse/listeners.hpp"

#include <array>
#include <charconv>

namespace probes {

namespace {

constexpr std::string_view listening = "0A";

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

std::string_view take_until(std::string_view& text, char end) {
  const std::string_view part = text.substr(0, text.find(end));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

template <class Number>
std::optional<Number> number_of(std::string_view word, int base) {
  Number out = 0;
  const char* const end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, out, base);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return out;
}

// "  0: 0100007F:0BB9 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 ..."
std::optional<std::uint64_t> listening_inode(std::string_view line, std::uint16_t port) {
  std::array<std::string_view, 10> words;
  for (std::string_view& word : words) word = take_word(line);
  const std::string_view local = words[1];
  const std::size_t colon = local.rfind(':');
  if (colon == local.npos || words[3] != listening) return std::nullopt;
  if (number_of<std::uint16_t>(local.substr(colon + 1), 16) != port) return std::nullopt;
  return number_of<std::uint64_t>(words[9], 10);
}

}  // namespace

std::set<std::uint64_t> listening_inodes(std::string_view proc_net_tcp, std::uint16_t port) {
  std::set<std::uint64_t> out;
  while (!proc_net_tcp.empty()) {
    if (const auto inode = listening_inode(take_until(proc_net_tcp, '\n'), port)) out.insert(*inode);
  }
  return out;
}

std::string socket_link(std::uint64_t inode) { return "socket:[" + std::to_string(inode) + "]"; }

std::optional<ProxiedTo> docker_proxy_target(std::string_view proc_cmdline) {
  ProxiedTo out;
  const std::string_view program = take_until(proc_cmdline, '\0');
  if (program.substr(program.rfind('/') + 1) != "docker-proxy") return std::nullopt;
  while (!proc_cmdline.empty()) {
    const std::string_view word = take_until(proc_cmdline, '\0');
    if (word == "-container-ip") out.ip = take_until(proc_cmdline, '\0');
    if (word == "-container-port") out.port = number_of<std::uint16_t>(take_until(proc_cmdline, '\0'), 10).value_or(0);
  }
  if (out.ip.empty() || out.port == 0) return std::nullopt;
  return out;
}

// An address is a line "|-- 172.17.0.2"; that it is the namespace's own says "/32 host LOCAL" right below.
bool has_own_address(std::string_view fib_trie, std::string_view ip) {
  bool is_it = false;
  while (!fib_trie.empty()) {
    const std::string_view line = take_until(fib_trie, '\n');
    const std::size_t mark = line.find("|-- ");
    if (mark != line.npos)
      is_it = line.substr(mark + 4) == ip;
    else if (is_it && line.find("/32 host LOCAL") != line.npos)
      return true;
  }
  return false;
}

}  // namespace probes
