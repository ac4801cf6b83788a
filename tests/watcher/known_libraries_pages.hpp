#pragma once

#include <string>
#include <vector>

// How each known library writes its page, one for each line of the table. `$S` stands for the outcome of a request,
// `$P` for its path, `$L` for a bucket's bound, `$Q` for a quantile.
struct LibraryPage {
  std::string name;  // of the library
  std::string requests;
  std::string ok;
  std::string failed;
  std::string times;  // empty: it times nothing
  double unit = 1;    // what a second is
};

extern const std::vector<LibraryPage> pages_by_hand;
extern const std::vector<LibraryPage> pages_in_scripts;
extern const std::vector<LibraryPage> pages_compiled;
extern const std::vector<LibraryPage> pages_of_calls;
extern const std::vector<LibraryPage> pages_of_proxies;

std::vector<LibraryPage> all_pages();
