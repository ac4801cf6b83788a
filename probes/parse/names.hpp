#pragma once

#include <string>
#include <string_view>

namespace probes {

// Names of probes, of their fields and of signals: [a-z_][a-z0-9_]*.
bool is_field_name(std::string_view name);

// What is wrong with a field's name, a JSON pointer, an RE2 pattern whose group is a number, the name of an environment
// variable, a mount point, the address or name of a host; empty when nothing is.
std::string wrong_field(const std::string& field);
std::string wrong_pointer(const std::string& pointer);
std::string wrong_pattern(const std::string& pattern);
std::string wrong_variable(const std::string& name);
std::string wrong_mount(const std::string& path);
std::string wrong_host(const std::string& host);

}  // namespace probes
