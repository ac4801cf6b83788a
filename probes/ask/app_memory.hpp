#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "probes/ask/host_files.hpp"
#include "probes/parse/host.hpp"

namespace probes {

// Who listens on a port of this host.
struct Listener {
  enum class Seen {
    nobody,   // the port is not listened on, or in a network that is not ours
    hidden,   // somebody does, but whose process it is cannot be seen: we lack the rights
    process,  // this process does
  };
  Seen seen = Seen::nobody;
  int pid = 0;
  std::string descriptor;  // /proc/PID/fd/N, a link to `socket` for as long as it is open
  std::string socket;
  std::string name;                  // of the program
  std::optional<CgroupPlace> place;  // where its memory is accounted; none: that cannot be read
};

// Reads below /proc of every process; a published port of a container leads through Docker's proxy to the container.
Listener find_listener(const std::string& proc, std::uint16_t port);

// The memory of the application that listens on the probe's port, where it has a limit.
class AppMemory {
 public:
  explicit AppMemory(const HostProbe& what) : what_(what) {}

  // Whether it has to be looked (find_listener) who listens now.
  bool must_look() const;
  void found(Listener listener);

  enum class Whose {
    host,     // nothing limits the application, or it is not known which process it is
    group,    // `memory()` has it
    unknown,  // nobody listens: there is nothing to measure, see why_unknown()
  };
  Whose look_at_group();
  const CgroupMemory& memory() const { return memory_; }
  // Whose memory it is and why, for people; after look_at_group().
  std::string said() const;
  std::string why_unknown() const;

 private:
  HostProbe what_;
  Listener listener_;
  bool was_seen_ = false;             // somebody listened
  std::optional<CgroupPlace> place_;  // of the last process that was seen
  CgroupMemory memory_;
  Whose whose_ = Whose::host;
};

}  // namespace probes
