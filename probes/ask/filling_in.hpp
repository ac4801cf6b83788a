#pragma once

#include <map>
#include <string>

namespace probes {

// What the steps of a journey have saved so far, by name.
using Saved = std::map<std::string, std::string>;

// How a saved value is written into a text: so that what a target answered cannot change what is asked.
enum class Quoting {
  none,  // headers (the client refuses line breaks), plain bodies
  url,   // percent-encoded: addresses and form bodies
  json,  // as the inside of a JSON string
};

// Replaces {name} by the saved value; braces around anything else stay as they are.
std::string filled_in(const std::string& text, const Saved& saved, Quoting quoting);

}  // namespace probes
