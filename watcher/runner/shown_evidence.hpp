#pragma once

#include <optional>
#include <string>

namespace watcher {

// Lets that group read what was kept of an incident: the evidence's folder and the plain files in it; the two folders
// above it may be walked through. All of them are ours, and nobody else can write there: no link is followed all the
// same. Returns what went wrong, for people; a folder that is not there is nothing.
std::optional<std::string> show_evidence_to(const std::string& dir, unsigned group);

}  // namespace watcher
