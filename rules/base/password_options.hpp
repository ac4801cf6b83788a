#pragma once

#include <string_view>

namespace rules {

// What the value of an option has of secrets.
enum class OptionMeaning {
  nothing,
  secret,       // all of it
  maybe,        // all of it, if it looks like one: -p has many meanings
  credentials,  // user:password
  header,       // Name: value
  cookie,       // name=value; name=value
};

// An option of one letter that some programs take a password with.
struct PasswordOption {
  std::string_view programs;  // with blanks around each; empty: of any
  char letter;
  OptionMeaning meaning;
  bool detached;  // its value may be the next word
};

// What -`letter` is to that program; nullptr: nothing of the kind.
const PasswordOption* password_option(std::string_view program, char letter);
// Whether the table knows options of that program, be it that they are something else.
bool has_password_options(std::string_view program);

}  // namespace rules
