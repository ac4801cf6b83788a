#include <array>
#include <variant>

#include "probes/key.hpp"
#include "probes/probe.hpp"

namespace probes {

namespace {

// Of every alternative, in the order in which they are told, and the words of the contract for what is not there yet.
template <class... Types>
auto varieties(const std::variant<Types...>*) {
  return std::array{Types::variety()..., later_variety("log"), later_variety("promql"), later_variety("container"),
                    later_variety("unit")};
}

}  // namespace

std::span<const Variety> probe_types() {
  static const auto types = varieties(static_cast<const ProbeKind*>(nullptr));
  return types;
}

ProbeList make_probes(const ProbeConfig& config, Surroundings around) {
  return std::visit([&](const auto& what) { return what.make(config, around); }, config.what);
}

}  // namespace probes
