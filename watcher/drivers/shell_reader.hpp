#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/drivers/shell_commands.hpp"

namespace watcher {

// Reads a script of a shell as far as to know which commands it starts: lists, loops, conditions, `case`, functions,
// substitutions, here-documents. It gives up where the script does not end as it should.
class ShellReader {
 public:
  explicit ShellReader(std::string_view script, int depth = 4) : script_(script), depth_(depth) {}

  // nullopt: it is more than can be read here.
  std::optional<std::vector<std::string>> run();
  // What was read by run(), also when it gave up.
  std::vector<ShellCommand> lines();

 private:
  struct Word {
    std::string text;
    bool is_plain = true;  // it is what is written
  };
  struct HereDocument {
    std::string end;        // the line that ends it
    bool is_plain = false;  // nothing in it is filled in
    bool takes_tabs = false;
  };

  char peek(std::size_t ahead = 0) const { return at_ + ahead < script_.size() ? script_[at_ + ahead] : '\0'; }
  bool begins(std::string_view text) const { return at_ < script_.size() && script_.substr(at_).starts_with(text); }

  void step();
  void open_parenthesis();
  void close_parenthesis();
  void end_of_line();
  void separate(std::size_t length);
  void end_line();
  void redirect();
  void take(const Word& word);
  void begin_command(const Word& word);
  void note_elsewhere(const Word& word);
  bool is_function(const std::string& name);
  bool take_compound(const std::string& word);
  void begin_case();
  void pattern();
  void skip_space();

  // shell_reader_found.cpp
  bool find(const std::string& name);
  void follow(std::span<const std::string> words);
  void follow_found(std::span<const std::string> words);
  void follow_text(std::span<const std::string> words);
  void read_inside(const std::string& script);
  void source();
  void reckon_with_absence();
  bool gives_up_next() const;
  void guard(const std::vector<std::string>& words);
  void count_conditions(const std::string& word);

  // shell_reader_words.cpp
  Word word();
  void single_quoted(Word& out);
  void double_quoted(Word& out);
  void unquoted(char c, Word& out);
  void expansion(char c, Word& out);
  void braced(Word& out);
  void skip_to(std::string_view end);
  std::size_t closing() const;
  void nested(std::size_t end, std::size_t length);
  void here_document();
  void here_word();
  void skip_documents();
  void document(const HereDocument& of);
  void filled_in(std::size_t end);

  void give_up() { given_up_ = true; }

  std::string_view script_;
  std::size_t at_ = 0;
  int depth_;  // of scripts in words of it that are still read
  bool expects_command_ = true;
  bool last_ = false;  // the newest found is the command that is being read
  bool given_up_ = false;
  bool may_fail_ = false;     // something else is done where the command that is being read fails
  bool has_sourced_ = false;  // another script, into this one
  std::vector<std::string> found_;
  std::set<std::string> functions_;
  std::set<std::string> asked_for_;  // whether they are there
  bool guards_list_ = false;         // what it said of that decides whether the rest is run
  int ifs_ = 0;                      // that are open
  int guarding_ifs_ = 0;             // as many of them were open when it was asked in the condition of one; 0: none was
  bool is_condition_ = false;        // of an `if`
  std::vector<ShellCommand> lines_;
  std::size_t first_of_line_ = 0;  // of them, in this line of the script
  bool in_line_ = false;           // the newest of them is being read
  std::optional<std::string> dir_ = "";
  std::vector<std::optional<std::string>> outside_;  // where each open parenthesis began
  int cases_ = 0;                                    // that were begun and not ended
  std::vector<HereDocument> documents_;              // that begin after this line
};

namespace shell {

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
inline bool ends_word(char c) { return is_blank(c) || std::string_view("\n;&|()<>").find(c) != std::string_view::npos; }

}  // namespace shell

}  // namespace watcher
