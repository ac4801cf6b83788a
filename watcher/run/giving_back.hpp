#pragma once

namespace watcher {

// Large blocks of memory go back to the system when they are freed. By default glibc takes the first large block that
// is freed as a reason to keep as much at hand for ever. To be called before there are any.
void give_back_large_blocks();

// To be called when the start or a reload is over: what they needed and nothing else does goes back. That is memory
// that is free between blocks in use, and code and constants of the program and its libraries: read-only pages of their
// files, which are read again when they are needed. What stays of the heap lies in huge pages afterwards, where the
// kernel has them and hardly anything has to be added for it (Linux 6.1; whatever its setting, except for a process
// without).
void give_back_what_is_over();

}  // namespace watcher
