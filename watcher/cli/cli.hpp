#pragma once

namespace watcher {

// The command line. Returns the exit code: 0 fine, 1 the answer is no, 2 wrong usage, 3 no watcher answers.
int cli_main(int argc, char** argv);

}  // namespace watcher
