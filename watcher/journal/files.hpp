#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "probes/net/descriptor.hpp"
#include "watcher/journal/journal.hpp"

namespace watcher {

using probes::Descriptor;

// Of our own files and folders, whatever umask we have: they hold what only the watcher may read.
constexpr unsigned private_folder = 0700;
constexpr unsigned private_file = 0600;

// "ATTEMPT: No space left on device; ADVICE", with `full` set where asking instead of acting is the answer.
JournalFault file_fault(const std::string& attempt, int error, const std::string& advice);

// Makes the folder and what is missing above it, of the same mode; what is there already keeps its own. nullopt on
// success.
std::optional<JournalFault> make_folder(const std::string& path, unsigned mode);

// Replaces the file as a whole or not at all: temporary file, fsync, rename, fsync of the folder. nullopt on success.
std::optional<JournalFault> write_whole(const std::string& path, std::string_view content, unsigned mode);

// False: errno says why; some of it may be written.
bool write_all(int descriptor, std::string_view content);

// So that what was written into it survives a power cut. nullopt on success.
std::optional<JournalFault> sync_file(const std::string& path);

// So that a rename or an unlink in it survives a power cut. nullopt on success.
std::optional<JournalFault> sync_folder(const std::string& path);

// With the slash at its end; "./" where the path names none.
std::string folder_of(const std::string& path);

// Where the links lead that stand at the path's end, there or not; a folder's are the kernel's to follow. Of a circle
// it is a link.
std::string end_of_links(std::string path);

// nullopt: there is none, or it cannot be read.
std::optional<std::string> read_whole(const std::string& path);
// From where the descriptor stands.
std::optional<std::string> read_whole(int descriptor);

// The first bytes of a small file; empty when there is none.
std::string read_small(const std::string& path);

}  // namespace watcher
