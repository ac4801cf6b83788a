#pragma once

#include <functional>
#include <list>
#include <utility>

namespace watcher {

// Connections that wait for bytes of their clients, the longest silent first. Where there is no place left the longest
// silent one makes way: connections that are held open and say nothing must not keep a scraper out.
class SilentConnections {
 public:
  // Says that a connection waits, as long as it lives. `close` ends the connection.
  class Wait {
   public:
    Wait(SilentConnections& all, std::function<void()> close)
        : all_(all), place_(all.waiting_.insert(all.waiting_.end(), std::move(close))) {}
    ~Wait() { all_.waiting_.erase(place_); }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    SilentConnections& all_;
    std::list<std::function<void()>>::iterator place_;
  };

  // false: there is none.
  bool close_longest_silent() {
    if (waiting_.empty()) return false;
    // Its coroutine runs on later and takes it off the list; until then it must not be closed again.
    waiting_.splice(waiting_.end(), waiting_, waiting_.begin());
    waiting_.back()();
    return true;
  }

 private:
  std::list<std::function<void()>> waiting_;
};

}  // namespace watcher
