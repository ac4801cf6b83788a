#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "watcher/config/config.hpp"

namespace watcher {

namespace asio = boost::asio;

struct SchemaRead {
  std::string schema;   // the first line that was printed; empty: none
  std::string trouble;  // why it could not be read, as words of the log; empty: it could
};

// Runs a service's `schema` command, as whom its driver runs.
asio::awaitable<SchemaRead> read_schema(std::vector<std::string> argv, std::string dir, Whom whom);

}  // namespace watcher
