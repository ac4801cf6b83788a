#pragma once

#include <map>
#include <memory>
#include <string>

#include "probes/probe.hpp"

namespace probes {

// How a saved value is written into a text: so that what a target answered cannot change what is asked.
enum class Quoting {
  none,  // headers (the client refuses line breaks), plain bodies
  url,   // percent-encoded
  json,  // as the inside of a JSON string
};

// Replaces {name} by the saved value; braces around anything else stay as they are.
std::string filled_in(const std::string& text, const std::map<std::string, std::string>& saved, Quoting quoting);

// The steps one after another, each with what the ones before saved; the first that fails is the fault.
std::unique_ptr<Probe> make_journey(const ProbeConfig& config, const HttpProbe& what, Surroundings around);

}  // namespace probes
