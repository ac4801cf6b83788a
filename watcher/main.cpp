#include "watcher/cli/cli.hpp"

int main(int argc, char** argv) { return watcher::cli_main(argc, argv); }
