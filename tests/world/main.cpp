#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>

#include "rules/base/parse.hpp"
#include "shrink.hpp"
#include "simulation.hpp"

// world_tests --hours N [--from SEED]   lives through the worlds of one seed after the other, until so many hours
// world_tests --seed N                  one of them, as it was
// Exit code 1 when something was that must not be: the seed, what it was, and what happened before it.

namespace {

// Of so many seeds one is asked as well whether a restart changes what is decided.
constexpr std::uint64_t quiet_every = 4;

struct Options {
  double hours = 100;
  std::uint64_t from = 1;
  bool single = false;
  bool quiet = false;
};

int report(const sim::Script& script, const sim::Verdict& verdict, bool shrinks) {
  std::cout << "seed " << script.seed << ": " << verdict.breaches.front() << "\n";
  const sim::Script small = shrinks ? sim::shrink(script, verdict.breaches.front()) : script;
  const sim::Verdict again = sim::live(small);
  std::cout << "the least of its script that does it (" << small.happenings.size() << " of " << script.happenings.size()
            << "):\n";
  for (const sim::Happening& one : small.happenings) std::cout << "  " << sim::to_string(one) << "\n";
  std::cout << "the last of what happened in it:\n";
  for (const std::string& line : again.memory) std::cout << "  " << line << "\n";
  std::cout << "again: world_tests --seed " << script.seed << "\n";
  return 1;
}

// The same decisions with and without a restart in between.
std::string differs(std::uint64_t seed) {
  const sim::Script whole = sim::write_quiet_script(seed);
  sim::Script cut = whole;
  sim::Dice dice(seed + 1);
  sim::Happening restart;
  restart.at = dice.between(std::chrono::seconds(325), std::chrono::minutes(12));
  restart.what = sim::What::kill;
  restart.service = "web";
  cut.happenings.push_back(restart);
  const std::string one = sim::live(whole).decisions;
  const sim::Verdict with = sim::live(cut);
  const std::string& other = with.decisions;
  if (one == other) return "";
  for (const std::string& line : with.memory) std::cout << "  " << line << "\n";
  return "seed " + std::to_string(seed) + ": a restart at " + rules::to_string(restart.at) +
         " changes what is decided\nwithout:\n" + one + "with:\n" + other;
}

int live_through(const Options& options) {
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  double lived = 0;
  std::uint64_t seed = options.from;
  std::map<std::string, long> reached;
  for (; options.single ? seed == options.from : lived < options.hours; ++seed) {
    const sim::Script script = sim::write_script(seed);
    const sim::Verdict verdict = sim::live(script);
    lived += rules::seconds(verdict.lived) / 3600;
    for (const auto& [what, times] : verdict.reached) reached[what] += times;
    if (!verdict.breaches.empty()) {
      std::cout << "after " << lived << " hours, ";
      return report(script, verdict, !options.quiet);
    }
    if (seed % quiet_every != 0 && !options.single) continue;
    const std::string difference = differs(seed);
    if (difference.empty()) continue;
    std::cout << "after " << lived << " hours, " << difference;
    return 1;
  }
  const double took = std::chrono::duration<double>(Clock::now() - began).count();
  for (const auto& [what, times] : reached) std::cout << what << ": " << times << "\n";
  std::cout << lived << " hours of " << seed - options.from << " worlds, " << lived / took << " hours a second\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--quiet") {
      options.quiet = true;
    } else if (word == "--hours" && i + 1 < argc) {
      options.hours = std::stod(argv[++i]);
    } else if (word == "--from" && i + 1 < argc) {
      options.from = std::stoull(argv[++i]);
    } else if (word == "--seed" && i + 1 < argc) {
      options.from = std::stoull(argv[++i]);
      options.single = true;
    } else {
      std::cerr << "usage: world_tests [--hours N] [--from SEED] [--seed N] [--quiet]\n";
      return 2;
    }
  }
  return live_through(options);
}
