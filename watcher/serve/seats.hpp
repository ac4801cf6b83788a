#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <optional>

namespace watcher {

// How many connections each door may have at the same time. A few scrapers and people; what is beyond that is turned
// away rather than served slowly. The control socket has its own, so that the command line gets through when TCP is
// full; and whoever only asks whether we live gets through beside as many who ask for pages.
struct Places {
  std::size_t web = 64;
  std::size_t crowded = 8;
  std::size_t control = 32;
  std::size_t all() const { return web + crowded + control; }
};

// The places of connections that may be at the same time. Where none is left, the connection that has kept its place
// the longest without a use makes way: one that says nothing, or that does not take what it asked for. Neither keeps a
// scraper or the command line out.
class Seats {
 public:
  // What is written at the same time, all connections together, before further large answers are refused.
  static constexpr std::size_t outgoing_max = 16 * 1024 * 1024;  // bytes

  explicit Seats(std::size_t most) : most_(most) {}
  Seats(const Seats&) = delete;
  Seats& operator=(const Seats&) = delete;

  // Who has a place keeps it.
  void allow(std::size_t most) { most_ = most; }

  // Whose a connection is, where that is known: the user's id.
  using Owner = std::optional<unsigned>;

  // Whether there is a place for one that came now; the one that is the longest of no use makes way. One owner whom
  // `is_bounded` says may have half of the places, so that others get in beside him.
  bool have_place() { return taken_ < most_ || make_way(); }
  bool have_place(Owner owner, bool is_bounded);
  enum class Idle {
    silent,  // says nothing
    slow,    // does not take its answer
  };
  // Closes the connection that is the longest of no use, or the longest slow. false: there is none.
  bool make_way(std::optional<Idle> only = std::nullopt, Owner of = std::nullopt);

  // A place that is taken, as long as it lives.
  class Seat {
   public:
    explicit Seat(Seats& seats, Owner owner = std::nullopt);
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

   private:
    Seats& seats_;
    Owner owner_;
  };

  struct Idler {
    Idle how;
    Owner owner;
    std::function<bool()> close;
    bool is_leaving = false;  // closed: its coroutine runs on later
  };
  // Says that a connection is of no use just now, as long as it lives. `close` ends the connection, or says with false
  // that it is of use after all.
  class Useless {
   public:
    Useless(Seats& seats, Idle how, Owner owner, std::function<bool()> close);
    ~Useless() { seats_.useless_.erase(place_); }
    Useless(const Useless&) = delete;
    Useless& operator=(const Useless&) = delete;

   private:
    Seats& seats_;
    std::list<Idler>::iterator place_;
  };

  // An answer that is being written, as long as it lives.
  class Outgoing {
   public:
    Outgoing(Seats& seats, std::size_t size) : seats_(seats), size_(size) { seats_.outgoing_ += size_; }
    ~Outgoing() { seats_.outgoing_ -= size_; }
    Outgoing(const Outgoing&) = delete;
    Outgoing& operator=(const Outgoing&) = delete;

   private:
    Seats& seats_;
    std::size_t size_;
  };
  // One answer is always taken, however large.
  bool bears(std::size_t size) const { return outgoing_ == 0 || outgoing_ + size <= outgoing_max; }

 private:
  std::size_t most_;
  std::size_t taken_ = 0;
  std::map<unsigned, std::size_t> taken_by_;
  std::size_t outgoing_ = 0;  // bytes
  std::list<Idler> useless_;  // the longest first
};

}  // namespace watcher
