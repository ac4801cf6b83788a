#include <cstdint>
#include <string>

#include "configuration.hpp"

// A configuration, from people, of any bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hold_for_configuration(std::string(data, data + size));
  return 0;
}
