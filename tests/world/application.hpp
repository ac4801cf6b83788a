#pragma once

#include <map>
#include <string>

#include "dice.hpp"
#include "rules/base/poll.hpp"

namespace sim {

// What a release does to those who use it.
struct Release {
  double errors = 0;          // share of requests answered with 500
  double slow = 0;            // share of requests that take longer than a second
  double memory = 0.4;        // share of the limit that is used
  double leak = 0;            // what is added to it each hour
  bool down = false;          // does not answer at all
  Duration crash_every{};     // the process ends and begins anew; zero: never
  Duration crash_lasts = 7s;  // and is gone for this long
  Duration blinks_every{};    // its health is bad now and then, in the same process; zero: never
  Duration blinks_for = 7s;
  Duration harmless_for{};  // is well for so long after its start
};

class Application;

// Without whom it cannot answer everything: its trouble is this one's as well.
struct Needs {
  const Application* whom = nullptr;
  double share = 1;     // of the requests
  bool health = false;  // its health page says so
};

// What is measured of it: health, page and host are three probes.
enum class Page { health, app, host };

// One service as it really is: what runs, who uses it, what it answered. Everything else only hears of it.
class Application {
 public:
  Application(std::string name, Instant start) : name_(std::move(name)), started_(start), served_until_(start) {}

  std::map<std::string, Release> releases;     // a revision that is not here is a good one
  std::map<std::string, std::string> schemas;  // by revision; empty: nobody asks for it
  double requests_per_second = 20;
  double trouble = 0;  // share of errors that come from elsewhere, whatever runs
  bool dead = false;   // killed by something else than its release
  Needs needs;

  const std::string& name() const { return name_; }
  const std::string& running() const { return running_; }
  Instant running_since() const { return running_since_; }

  // Another revision runs from `now` on, in a new process.
  void deploy(const std::string& revision, Instant now);
  void restart(Instant now);
  // What was answered between the last call and `now`.
  void serve(Instant now);
  bool is_down(Instant now) const;
  // When it last did harm by itself, as far as it was looked at.
  Instant harmful_at() const { return harmful_at_; }
  // Fills `readings` and `up` of a poll that ended at `now`.
  void answer(Page page, Instant now, rules::Poll& poll);

 private:
  Release release(Instant now) const;
  bool crashing(Instant now) const;
  bool is_harmful(Instant now) const;
  double failing(Instant now) const;  // share of requests

  std::string name_;
  std::string running_ = "v1";
  Instant started_;
  Instant running_since_ = started_;
  std::string before_;
  Instant before_since_ = started_;
  Instant served_until_;
  Instant harmful_at_ = Instant::min();
  double ok_ = 0;
  double errors_ = 0;
  double fast_ = 0;
  double slow_ = 0;
};

}  // namespace sim
