#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rules/base/explanation.hpp"
#include "rules/base/names.hpp"
#include "rules/base/seldom.hpp"
#include "rules/base/time.hpp"
#include "rules/sustain/rule_spec.hpp"

namespace rules {

// When mutating responses act by themselves.
enum class Arm {
  deploy,  // from the moment a revision appears until it is baked; otherwise they ask
  always,  // whenever
};

enum class AskThen { close, act };

struct FuseLimits {
  int switches_per_revision = 1;
  int switches_per_day = 3;
  int mutations_per_hour = 3;
};

struct ServiceSpec {
  ServiceName name;
  bool has_driver = false;          // it can be switched
  bool has_identity = false;        // its running revision can be read
  bool resumes_switch = false;      // its driver can do a switch again that was broken off
  std::optional<ProbeName> health;  // says of the whole service whether it is up
  Arm arm = Arm::deploy;            // default with an identity
  Duration bake = std::chrono::hours(1);
  Duration start_deadline = std::chrono::minutes(5);
  Duration cooldown = std::chrono::minutes(10);
  Duration deploy_timeout = std::chrono::minutes(15);
  FuseLimits fuse;
  Duration ask_timeout = std::chrono::minutes(30);
  AskThen ask_then = AskThen::close;
  std::vector<ServiceName> depends_on;
  Spare<Explanation> explanation;
};

}  // namespace rules
