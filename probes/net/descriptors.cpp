#include "probes/net/descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace probes {

bool out_of_descriptors() {
  const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (descriptor == -1) return errno == EMFILE || errno == ENFILE;
  close(descriptor);
  return false;
}

}  // namespace probes
