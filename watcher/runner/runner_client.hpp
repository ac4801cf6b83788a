#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>

#include "watcher/runner/wire.hpp"

namespace watcher {

// The watcher's way to the runner. One of these lives as long as a configuration; a connection as long as a question.
class RunnerClient {
 public:
  // `config`: the hash of the file that was read.
  RunnerClient(std::string socket, std::string config);

  using Started = std::function<void(const ChildAtWork&)>;
  // Asks and waits for the answer, at most `limit` for each line (0: for as long as it takes). Never throws for what
  // the other side does; `why` of the answer is for people and says what to do. Where the runner has read another file,
  // it is asked once to read it anew. `started` may be empty.
  asio::awaitable<RunnerReply> ask(Question question, rules::Duration limit, Started started);
  // Has it read the file again. Why it did not, for people; empty: both have read the same now.
  asio::awaitable<std::string> reload();

 private:
  asio::awaitable<RunnerReply> ask_once(Question question, rules::Duration limit, Started started) const;
  RunnerReply unreachable(const std::string& what, Says says) const;

  std::string socket_;
  std::string config_;
  bool has_reloaded_ = false;
};

}  // namespace watcher
