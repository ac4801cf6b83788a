#include "rules/base/command_secrets.hpp"

#include <algorithm>
#include <utility>

#include "rules/base/password_options.hpp"
#include "rules/base/passwords.hpp"
#include "rules/base/secret_names.hpp"
#include "rules/base/shell_words.hpp"

namespace rules {

namespace {

using Words = std::vector<std::string>;
using View = std::string_view;
using Meaning = OptionMeaning;

constexpr std::size_t secret_min = 4;  // bytes
constexpr int scripts_in_scripts_max = 4;

// A variable, a revision that is filled in, a file or another option is no secret.
bool is_elsewhere(View value) { return value.empty() || View("$`{@/-<").find(value.front()) != View::npos; }

// Letters and digits mixed, as no port, folder or level is.
bool looks_secret(View value) {
  constexpr std::size_t least = 6;
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
  return value.size() >= least && value.find_first_of("/:.,=") == View::npos &&
         std::any_of(value.begin(), value.end(), is_digit) && std::any_of(value.begin(), value.end(), is_letter);
}

// Reads the words of one command, or of a script, from the first to the last.
class Seeker {
 public:
  Seeker(Words& out, int depth) : out_(out), depth_(depth) {}

  void read(const Words& words) {
    for (const std::string& word : words) read(word);
  }

 private:
  void read(const std::string& word);
  void read_name(View word);
  void read_option(View word);
  void read_short(View word);
  Meaning meaning_of(View name) const;
  void look_into(View word);
  void look_into_script(View word);
  void take(Meaning meaning, View value);
  void take_header(View value, bool is_header);
  void take_pairs(View text, bool is_query);
  void take_members(View text);
  void take_bearers(View text);

  void add(View value) {
    if (!is_elsewhere(value)) out_.emplace_back(value);
  }
  // Also what begins with / or @: no file is meant there.
  void add_whole(View value) {
    if (!value.empty() && View("$`{").find(value.front()) == View::npos) out_.emplace_back(value);
  }

  Words& out_;
  int depth_;
  std::string program_;  // whose options are read
  Meaning next_ = Meaning::nothing;
  bool is_script_next_ = false;  // as after sh -c
};

void Seeker::read(const std::string& word) {
  const Meaning meaning = std::exchange(next_, Meaning::nothing);
  if (std::exchange(is_script_next_, false)) return look_into_script(word);
  if (word == ";") return program_.clear();
  const bool is_option = word.size() > 1 && word.front() == '-';
  if (meaning != Meaning::nothing && !is_option) return take(meaning, word);
  if (is_option)
    read_option(word);
  else
    read_name(word);
  look_into(word);
}

// The first word is a program, and so is each later one whose options are known: env, timeout 5, sshpass -p X ssh.
void Seeker::read_name(View word) {
  const View name = word.substr(word.rfind('/') + 1);
  if (!is_name(name)) return;
  if (program_.empty() || has_password_options(name)) program_ = name;
}

Meaning Seeker::meaning_of(View name) const {
  const std::string plain = lower(name.substr(std::min(name.find_first_not_of('-'), name.size())));
  if (plain == "header" || plain == "proxy-header") return Meaning::header;
  if (plain == "cookie") return Meaning::cookie;
  if (plain == "proxy-user" || plain == "auth") return Meaning::credentials;
  if (plain == "user") return password_option(program_, 'u')->meaning;
  return is_secret_name(name) ? Meaning::secret : Meaning::nothing;
}

void Seeker::read_option(View word) {
  constexpr std::size_t short_most = 4;  // bytes: -sfH, -lc
  const View name = word.substr(0, word.find('='));
  const bool is_double = word.starts_with("--");
  const Meaning meaning = is_double || name.size() > short_most ? meaning_of(name) : Meaning::nothing;
  if (meaning == Meaning::nothing) {
    is_script_next_ = !is_double && name.size() <= short_most + 1 && word.ends_with('c');
    return is_double ? void() : read_short(word);
  }
  if (name.size() < word.size())
    take(meaning, word.substr(name.size() + 1));
  else
    next_ = meaning;
}

// The last letter of curl's -sfu is the one that has a value.
void Seeker::read_short(View word) {
  const std::size_t letters = program_ == "curl" ? word.size() : 2;
  for (std::size_t at = 1; at < letters; ++at) {
    const PasswordOption* const found = password_option(program_, word[at]);
    if (found == nullptr) continue;
    if (at + 1 < word.size())
      take(found->meaning, word.substr(at + 1));
    else if (found->detached)
      next_ = found->meaning;
    if (found->meaning != Meaning::nothing) return;
  }
}

void Seeker::take(Meaning meaning, View value) {
  switch (meaning) {
    case Meaning::nothing:
      return;
    case Meaning::secret:
      return add(value);
    case Meaning::maybe:
      if (looks_secret(value)) add(value);
      return;
    case Meaning::credentials: {
      const std::size_t colon = value.find_first_of(":%");
      if (colon == View::npos) return;
      const View password = value.substr(colon + 1);
      return add_whole(password.empty() ? value.substr(0, colon) : password);
    }
    case Meaning::header:
      return take_header(value, true);
    case Meaning::cookie:
      if (value.find('=') == View::npos) return;
      add_whole(value);
      while (!value.empty()) {
        const std::size_t end = std::min(value.find(';'), value.size());
        const View pair = value.substr(0, end);
        add_whole(pair.substr(std::min(pair.find('=') + 1, pair.size())));
        value.remove_prefix(std::min(end + 1, value.size()));
      }
  }
}

// All after the colon, and what follows "Bearer" or another scheme alone.
void Seeker::take_header(View text, bool is_header) {
  const std::size_t colon = text.find(':');
  if (colon == View::npos || !is_name(text.substr(0, colon))) return;
  const View name = text.substr(0, colon);
  if (!(is_header ? sounds_secret(name) : is_secret_name(name))) return;
  const std::size_t begin = text.find_first_not_of(" \t", colon + 1);
  const bool is_known = is_header || begin != colon + 1 || program_ == "http" || program_ == "https";
  if (begin == View::npos || !is_known) return;
  const View value = text.substr(begin);
  const std::size_t blank = value.find(' ');
  const bool has_scheme = blank != View::npos && is_name(value.substr(0, blank));
  const View rest = has_scheme ? value.substr(value.find_first_not_of(' ', blank)) : value;
  if (rest.find_first_of("$`{") == 0) return;
  add_whole(value);
  if (has_scheme) add_whole(rest);
  if (lower(name).find("cookie") != std::string::npos) take(Meaning::cookie, value);
}

// name=value of a variable, an option, a query or a form.
void Seeker::take_pairs(View text, bool is_query) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("&#"), text.size());
    const View pair = text.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != View::npos) {
      const View name = pair.substr(0, equals);
      if (is_query ? sounds_secret(name) : is_secret_name(name)) add(pair.substr(equals + 1));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// "name": "value" of JSON.
void Seeker::take_members(View text) {
  constexpr View blanks = " \t\r\n";
  std::size_t begin = text.find('"');
  while (begin != View::npos) {
    const std::size_t end = text.find('"', begin + 1);
    if (end == View::npos) return;
    const View name = text.substr(begin + 1, end - begin - 1);
    const std::size_t colon = text.find_first_not_of(blanks, end + 1);
    begin = text.find('"', end + 1);
    if (colon == View::npos || text[colon] != ':' || !is_secret_name(name)) continue;
    if (text.find_first_not_of(blanks, colon + 1) != begin || begin == View::npos) continue;
    std::size_t close = begin + 1;
    while (close < text.size() && text[close] != '"') close += text[close] == '\\' ? 2U : 1U;
    if (close >= text.size()) return;
    add_whole(text.substr(begin + 1, close - begin - 1));
    begin = text.find('"', close + 1);
  }
}

void Seeker::take_bearers(View text) {
  constexpr View scheme = "Bearer ";
  for (std::size_t at = text.find(scheme); at != View::npos; at = text.find(scheme, at)) {
    at += scheme.size();
    add_whole(text.substr(at, text.find_first_of(" \t\r\n\"'", at) - at));
  }
}

void Seeker::look_into(View word) {
  const std::size_t query = word.find('?');
  take_pairs(word.substr(0, query), false);
  if (query != View::npos) take_pairs(word.substr(query + 1), true);
  take_header(word, false);
  take_members(word);
  take_bearers(word);
  if (word.starts_with("pass:")) add_whole(word.substr(5));
  look_into_script(word);
}

void Seeker::look_into_script(View word) {
  const bool is_one_word = word.find_first_of(" \t\n;|&'\"`") == View::npos;
  if (!is_one_word && depth_ < scripts_in_scripts_max) Seeker(out_, depth_ + 1).read(shell_words(word));
}

}  // namespace

std::vector<std::string> secrets_in_command(const std::vector<std::string>& argv) {
  Words out;
  Seeker(out, 0).read(argv);
  for (const std::string& word : argv) {
    for (std::string& password : passwords_in(word)) out.push_back(std::move(password));
  }
  return out;
}

std::vector<std::string> told_words(std::vector<std::string> argv) {
  Words secrets = secrets_in_command(argv);
  std::erase_if(secrets, [](const std::string& secret) { return secret.size() < secret_min; });
  // One that is part of another must not leave the other's rest behind.
  std::sort(secrets.begin(), secrets.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (std::string& word : argv) {
    for (const std::string& secret : secrets) {
      for (std::size_t at = word.find(secret); at != word.npos; at = word.find(secret, at + redacted.size()))
        word.replace(at, secret.size(), redacted);
    }
    word = without_passwords(std::move(word));
  }
  return argv;
}

}  // namespace rules
