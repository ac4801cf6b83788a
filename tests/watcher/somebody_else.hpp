#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

// Only root can give what is there to somebody else, and be that.
inline bool can_be_somebody_else() {
  if (::geteuid() == 0) return true;
  MESSAGE("not run: only root can give a checkout to somebody else");
  return false;
}

inline void give_to_nobody(const std::string& path) {
  REQUIRE(std::system(("chown -R nobody " + path + " && chmod 755 " + path).c_str()) == 0);
}
