#include "script.hpp"

#include <algorithm>

#include "configuring.hpp"
#include "rules/base/parse.hpp"

namespace sim {

using namespace rules;

namespace {

const std::vector<std::string> revisions{"v1",   "v2",    "v3",    "errors",      "errors2", "slow", "fat",   "leaky",
                                         "down", "loops", "flaps", "late-errors", "v4",      "mild", "blinks"};

std::map<std::string, Release> make_releases(Dice& dice) {
  std::map<std::string, Release> out;
  out["errors"].errors = 0.3;
  out["errors2"].errors = 0.12 + static_cast<double>(dice.below(80)) / 100;
  out["mild"].errors = 0.03;
  out["slow"].slow = 0.25;
  out["fat"].memory = 0.97;
  out["leaky"].leak = 1.5;
  out["down"].down = true;
  out["loops"].crash_every = 25s;
  out["loops"].crash_lasts = dice.between(3s, 24s);
  out["flaps"].crash_every = dice.between(40s, 120s);
  out["flaps"].crash_lasts = out["flaps"].crash_every * static_cast<int>(dice.between(30ms, 97ms) / 1ms) / 100;
  out["blinks"].blinks_every = dice.between(30s, 150s);
  out["blinks"].blinks_for = out["blinks"].blinks_every * static_cast<int>(50 + dice.below(47)) / 100;
  out["late-errors"].errors = 0.5;
  out["late-errors"].harmless_for = dice.between(1min, 20min);
  return out;
}

// How often each thing happens, beside the others.
const std::vector<std::pair<What, int>> shares{
    {What::deploy, 26},      {What::deploy_marked, 8}, {What::deploy_partly, 3},  {What::mark_forbidden, 2},
    {What::traffic, 4},      {What::trouble, 7},       {What::dies, 4},           {What::path, 8},
    {What::misread, 2},      {What::unreadable, 3},    {What::disk, 5},           {What::fate, 6},
    {What::clock_jump, 1},   {What::stand_still, 2},   {What::kill, 5},           {What::kill_soon, 14},
    {What::stranger, 4},     {What::approve, 8},       {What::abort, 4},          {What::pause, 6},
    {What::resume, 2},       {What::by_hand, 6},       {What::by_hand_forced, 1}, {What::fuse_reset, 3},
    {What::declare_good, 2}, {What::declare_bad, 2},   {What::accept_state, 1},   {What::reload, 2}};

What pick(Dice& dice) {
  int all = 0;
  for (const auto& [what, share] : shares) all += share;
  int at = static_cast<int>(dice.below(static_cast<std::size_t>(all)));
  for (const auto& [what, share] : shares) {
    if ((at -= share) < 0) return what;
  }
  return What::deploy;
}

Happening happening(Dice& dice, const std::string& service) {
  Happening out;
  out.what = pick(dice);
  out.service = service;
  out.lasts = dice.percent(70) ? dice.between(5s, 3min) : dice.between(3min, 15min);
  out.name = dice.pick(revisions);
  out.count = static_cast<int>(1 + dice.below(60));
  switch (out.what) {
    case What::traffic:
      out.amount = dice.pick(std::vector<double>{0, 0.1, 1, 20, 20, 40});
      break;
    case What::trouble:
      out.amount = 0.3;
      break;
    case What::path:
      out.amount = static_cast<double>(1 + dice.below(6));
      out.name = service + dice.pick(std::vector<std::string>{"_health", "_app", "_host"});
      break;
    case What::disk:
      out.amount = static_cast<double>(1 + dice.below(3));
      break;
    case What::fate:
      out.amount = static_cast<double>(1 + dice.below(5));
      out.name = dice.pick(std::vector<std::string>{"switch", "switch", "run"});
      break;
    case What::kill:
    case What::kill_soon:
      out.amount = dice.percent(30) ? 1 : 0;
      out.lasts = dice.percent(80) ? dice.between(0s, 40s) : dice.between(1min, 5min);
      break;
    case What::by_hand:
      if (dice.percent(60)) out.name.clear();
      break;
    case What::stand_still:
      out.lasts = dice.between(1s, 1min);
      break;
    default:
      break;
  }
  return out;
}

// People say what may be done about a release; some of them change their minds.
void vary_marks(Dice& more, std::vector<Happening>& happenings) {
  std::vector<Happening> taken_back;
  for (Happening& one : happenings) {
    if (one.what == What::deploy && more.percent(10)) one.what = What::mark_ask;
    const bool is_marked = one.what == What::mark_ask || one.what == What::mark_forbidden;
    if (!is_marked || !more.percent(30)) continue;
    Happening back = one;
    back.what = What::mark_automatic;
    back.at += more.between(1min, 8min);
    taken_back.push_back(std::move(back));
  }
  happenings.insert(happenings.end(), taken_back.begin(), taken_back.end());
}

// A bad release is mended at once, and of that its deploy script says something.
void make_hotfixes(Dice dice, std::vector<Happening>& happenings) {
  std::vector<Happening> before;
  for (Happening& one : happenings) {
    if (one.what != What::deploy || !dice.percent(12)) continue;
    Happening release = one;
    release.name = dice.pick(revisions);
    release.at = std::max<Duration>(one.at - dice.between(25s, 110s), 1s);
    before.push_back(std::move(release));
    one.what = What::hotfix;
    one.lasts = dice.between(1s, 25s);
    one.count = static_cast<int>(dice.below(2));
  }
  happenings.insert(happenings.end(), before.begin(), before.end());
}

// Who needs whom; and often both are deployed together, of which the other is bad for a while, and now and then both.
// Returns for how long that goes on.
Duration make_needs(Script& out) {
  Dice dice(out.seed ^ 0xDE9EU);
  Duration at{};
  for (const ServiceSpec& one : out.configs.front().services) {
    for (const ServiceName& name : one.depends_on) {
      const std::string& who = one.name.text;
      const std::string& whom = name.text;
      out.needs.push_back({who, whom, dice.pick(std::vector<double>{0.4, 1.0}), dice.percent(50)});
      if (!dice.percent(60)) continue;
      at = dice.between(2min, 4min);
      const std::string bad = dice.pick(std::vector<std::string>{"errors", "errors2", "down", "flaps", "loops"});
      const std::string with = dice.pick(std::vector<std::string>{"v2", "v2", "errors", "slow"});
      out.happenings.push_back({at, What::deploy, who, with, 0, 0, {}});
      out.happenings.push_back({at + dice.between(0s, 90s), What::deploy, whom, bad, 0, 0, {}});
      at += dice.between(100s, 12min);
      out.happenings.push_back({at, What::deploy, whom, "v3", 0, 0, {}});
      at += dice.between(1min, 15min);
    }
  }
  return at;
}

// The one release to go back to is condemned while a bad one runs, and comes to honour again when that was given up.
void make_pardons(Dice dice, const std::string& service, Duration& at, std::vector<Happening>& happenings) {
  if (!dice.percent(8)) return;
  at += dice.between(1min, 3min);
  happenings.push_back(
      {at, What::deploy, service, dice.pick(std::vector<std::string>{"errors", "errors2", "down"}), 0, 0, {}});
  for (const std::string& revision : revisions) {
    happenings.push_back({at + dice.between(5s, 40s), What::declare_bad, service, revision, 0, 0, {}});
  }
  at += dice.between(8min, 16min);
  happenings.push_back({at, What::declare_good, service, "v1", 0, 0, {}});
  at += dice.between(8min, 16min);
}

constexpr Duration calm = 80min;

}  // namespace

std::string_view to_string(What what) {
  static constexpr std::string_view names[] = {"deploy",      "deploy_marked",  "deploy_partly", "mark_forbidden",
                                               "mark_ask",    "mark_automatic", "hotfix",        "traffic",
                                               "trouble",     "dies",           "path",          "misread",
                                               "unreadable",  "disk",           "fate",          "clock_jump",
                                               "stand_still", "kill",           "kill_soon",     "stranger",
                                               "approve",     "abort",          "pause",         "resume",
                                               "by_hand",     "by_hand_forced", "fuse_reset",    "declare_good",
                                               "declare_bad", "accept_state",   "reload",        "heal"};
  return names[static_cast<std::size_t>(what)];
}

std::string to_string(const Happening& one) {
  return rules::to_string(one.at) + " " + std::string(sim::to_string(one.what)) + " " + one.service +
         " name=" + one.name + " amount=" + std::to_string(one.amount) + " count=" + std::to_string(one.count) +
         " for " + rules::to_string(one.lasts);
}

Script write_script(std::uint64_t seed) {
  Dice dice(seed);
  Script out;
  out.seed = seed;
  out.releases = make_releases(dice);
  const bool has_two_services = dice.percent(50);
  const std::vector<std::string> first =
      has_two_services ? std::vector<std::string>{"web", "api"} : std::vector<std::string>{"web"};
  // Dice of their own: what else happens in a world of a seed stays as it is.
  Dice more(seed ^ 0xA5EDU);
  out.configs.push_back(configure(dice, more, first));
  std::vector<std::string> all = first;
  if (dice.percent(40)) {
    out.configs.push_back(configure(dice, more, {"shop"}));
    all.emplace_back("shop");
  }
  out.reloadable.push_back(out.configs.front());
  for (RuleSpec& rule : out.reloadable.back().rules) rule.sustain += 10s;
  // Most histories begin with something to go back to, and with a release of which nobody knows.
  Duration at = make_needs(out) + dice.between(1min, 4min);
  if (dice.percent(30)) {
    out.happenings.push_back({at, What::deploy, "web", "v2", 0, 0, {}});
    at += dice.between(65min, 80min);
  }
  out.happenings.push_back({at, What::deploy, dice.pick(all), dice.pick(revisions), 0, 0, {}});
  const std::size_t many = 6 + dice.below(14);
  for (std::size_t i = 0; i < many; ++i) {
    // Things come in bursts: most of what goes wrong does so while something else is.
    at += dice.percent(75) ? dice.between(1s, 100s) : dice.between(2min, 25min);
    Happening one = happening(dice, dice.pick(all));
    one.at = at;
    out.happenings.push_back(std::move(one));
  }
  if (more.percent(25)) {
    for (const std::string& revision : revisions) out.schemas[revision] = more.percent(70) ? "1" : "2";
  }
  vary_marks(more, out.happenings);
  make_hotfixes(Dice(seed ^ 0x407F1U), out.happenings);
  make_pardons(Dice(seed ^ 0x9A2D0U), all.front(), at, out.happenings);
  at += dice.between(1min, 20min);
  out.happenings.push_back({at, What::heal, "", "", 0, 0, {}});
  out.length = at + calm;
  return out;
}

Script write_quiet_script(std::uint64_t seed) {
  Dice dice(seed);
  Script out;
  out.seed = seed;
  out.releases = make_releases(dice);
  out.configs.push_back(configure_plainly(dice, "web"));
  const std::string bad = dice.pick(std::vector<std::string>{"errors", "errors2", "slow", "fat", "down", "v2"});
  out.happenings.push_back({5min, What::deploy, "web", bad, 0, 0, {}});
  out.length = 25min;
  return out;
}

}  // namespace sim
