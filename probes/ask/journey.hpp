#pragma once

#include <memory>
#include <string_view>

#include "probes/probe.hpp"

namespace probes {

// What a journey can use without having saved it: another value in each run, the same in all its steps.
inline constexpr std::string_view unique_name = "unique";

// The steps one after another, each with what the ones before saved; the first that fails is the fault.
std::unique_ptr<Probe> make_journey(const ProbeConfig& config, const HttpProbe& what, Surroundings around);

}  // namespace probes
