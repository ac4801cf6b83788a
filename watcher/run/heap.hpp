#pragma once

namespace watcher {

// From now on freed blocks of this thread's are kept at hand, some of each size, for its next allocations. Of one
// thread that lives as long as the program: what is kept is never given back.
void keep_freed_blocks();

}  // namespace watcher
