#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "probes/probe.hpp"

namespace probes {

// How a saved value is written into a text: so that what a target answered cannot change what is asked.
enum class Quoting {
  none,  // headers (the client refuses line breaks), plain bodies
  url,   // percent-encoded: addresses and form bodies
  json,  // as the inside of a JSON string
};

// Replaces {name} by the saved value; braces around anything else stay as they are.
std::string filled_in(const std::string& text, const std::map<std::string, std::string>& saved, Quoting quoting);

// What a journey can use without having saved it: another value in each run, the same in all its steps.
inline constexpr std::string_view unique_name = "unique";

enum class SaveFrom { json, header, cookie, regex };

// Where in an answer a value is that a step saves: json:/POINTER, header:NAME, cookie:NAME, regex:PATTERN.
struct SaveSource {
  SaveFrom from = SaveFrom::json;
  std::string what;
};
std::optional<SaveSource> parse_save_source(std::string_view text);  // nullopt: none of these
std::string wrong_save_source(const std::string& text);              // for people; empty: nothing is

// The steps one after another, each with what the ones before saved; the first that fails is the fault.
std::unique_ptr<Probe> make_journey(const ProbeConfig& config, const HttpProbe& what, Surroundings around);

}  // namespace probes
