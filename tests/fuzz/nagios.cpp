#include <cstdint>
#include <string>

#include "probes/parse/nagios.hpp"
#include "probes/parse/prometheus_series.hpp"
#include "require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string out(data, data + size);
  const probes::NagiosOutput output = probes::parse_nagios(out);
  require(output.readings.size() <= probes::nagios_values_max, "readings are bounded");
  for (const rules::Reading& reading : output.readings) {
    require(!reading.series->name.empty(), "a field has a name");
    for (const rules::Label& label : reading.series->labels) require(probes::is_utf8(label.value), "labels are UTF-8");
  }
  return 0;
}
