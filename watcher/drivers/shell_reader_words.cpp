#include <algorithm>
#include <utility>

#include "watcher/drivers/shell_reader.hpp"

// Words, what is filled into them, and here-documents.

namespace watcher {

using shell::ends_word;
using shell::is_blank;
using std::string_view;

ShellReader::Word ShellReader::word() {
  Word out;
  while (at_ < script_.size() && !ends_word(peek()) && !given_up_) {
    const char c = script_[at_++];
    if (c == '\'') {
      single_quoted(out);
    } else if (c == '"') {
      double_quoted(out);
    } else if (c == '\\') {
      out.is_plain = false;
      ++at_;
    } else {
      unquoted(c, out);
    }
  }
  return out;
}

void ShellReader::single_quoted(Word& out) {
  const std::size_t end = script_.find('\'', at_);
  if (end == string_view::npos) return give_up();
  out.text += script_.substr(at_, end - at_);
  at_ = end + 1;
}

void ShellReader::double_quoted(Word& out) {
  while (peek() != '"' && !given_up_) {
    if (at_ >= script_.size()) return give_up();
    const char c = script_[at_++];
    if (c == '\\') ++at_;
    if (c == '$' || c == '`' || c == '\\')
      expansion(c, out);
    else
      out.text += c;
  }
  ++at_;
}

void ShellReader::unquoted(char c, Word& out) {
  if (c == '$' || c == '`') return expansion(c, out);
  const bool is_pattern =
      string_view("*?[~").find(c) != string_view::npos && out.text + c != "[" && out.text + c != "[[";
  // What find and xargs fill in is filled in by no shell.
  const bool is_brace = c == '{' && peek() != '}' && !(out.text.empty() && (is_blank(peek()) || peek() == '\n'));
  if (is_pattern || is_brace) out.is_plain = false;
  out.text += c;
}

void ShellReader::expansion(char c, Word& out) {
  out.is_plain = false;
  if (c == '`') return nested(script_.find('`', at_), 1);
  if (c != '$') return;
  if (begins("((")) return skip_to("))");
  if (begins("{")) return braced(out);
  if (!begins("(")) return;
  ++at_;
  nested(closing(), 1);
}

// `${A:-WORD}`, with the commands that WORD fills in.
void ShellReader::braced(Word& out) {
  for (++at_; !begins("}") && !given_up_;) {
    if (at_ >= script_.size()) return give_up();
    const char c = script_[at_++];
    if (c == '\\') ++at_;
    const bool fills_in = c == '`' || (c == '$' && (begins("(") || begins("{")));
    if (fills_in) expansion(c, out);
  }
  ++at_;
}

void ShellReader::skip_to(string_view end) {
  const std::size_t found = script_.find(end, at_);
  if (found == string_view::npos) return give_up();
  at_ = found + end.size();
}

// The parenthesis that ends what begins here.
std::size_t ShellReader::closing() const {
  int depth = 1;
  for (std::size_t i = at_; i < script_.size(); ++i) {
    const char c = script_[i];
    if (c == '\\') ++i;
    if (c == '\'') i = std::min(script_.find('\'', i + 1), script_.size());
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) return i;
  }
  return string_view::npos;
}

void ShellReader::nested(std::size_t end, std::size_t length) {
  if (end == string_view::npos) return give_up();
  ShellReader reader(script_.substr(at_, end - at_));
  reader.dir_ = dir_;
  reader.has_sourced_ = has_sourced_;
  const auto inside = reader.run();
  asked_for_.insert(reader.asked_for_.begin(), reader.asked_for_.end());
  std::vector<ShellCommand> lines = reader.lines();
  // Before the line that is being read.
  lines_.insert(lines_.end() - (in_line_ ? 1 : 0), lines.begin(), lines.end());
  if (!inside) return give_up();
  found_.insert(found_.begin(), inside->begin(), inside->end());
  at_ = end + length;
}

// What it says begins after the line.
void ShellReader::here_document() {
  at_ += 2;
  HereDocument document;
  document.takes_tabs = peek() == '-';
  if (document.takes_tabs) ++at_;
  while (is_blank(peek())) ++at_;
  const std::size_t begin = at_;
  const Word end = word();
  document.end = end.text;
  const string_view written = script_.substr(begin, at_ - begin);
  document.is_plain = written.find_first_of("'\"\\") != string_view::npos;
  if (!end.is_plain || document.end.empty()) return give_up();
  documents_.push_back(std::move(document));
}

// `<<<WORD`
void ShellReader::here_word() {
  at_ += 3;
  while (is_blank(peek())) ++at_;
  const bool is_of_line = in_line_;
  const std::size_t line = lines_.size();
  const Word text = word();
  if (is_of_line && line > 0) lines_[line - 1].script += text.text + "\n";
}

void ShellReader::skip_documents() {
  const std::vector<HereDocument> documents = std::exchange(documents_, {});
  for (const HereDocument& one : documents) {
    if (!given_up_) document(one);
  }
}

void ShellReader::document(const HereDocument& of) {
  std::string whole;
  const std::size_t behind = lines_.size();
  for (std::size_t line = at_; line < script_.size();) {
    const std::size_t end = std::min(script_.find('\n', line), script_.size());
    string_view text = script_.substr(line, end - line);
    if (of.takes_tabs) text.remove_prefix(std::min(text.find_first_not_of('\t'), text.size()));
    if (text == of.end) {
      for (std::size_t i = std::min(first_of_line_, behind); i < behind; ++i) lines_[i].script += whole;
      if (!of.is_plain) filled_in(line);
      at_ = std::min(end + 1, script_.size());
      return;
    }
    whole += std::string(text) + "\n";
    line = end + 1;
  }
  give_up();
}

// The commands whose output is put into it.
void ShellReader::filled_in(std::size_t end) {
  ShellReader inside(script_.substr(at_, end - at_));
  inside.dir_ = dir_;
  inside.has_sourced_ = has_sourced_;
  Word text;
  while (inside.at_ < inside.script_.size() && !inside.given_up_) {
    const char c = inside.script_[inside.at_++];
    if (c == '\\') ++inside.at_;
    if (c == '$' || c == '`') inside.expansion(c, text);
  }
  if (inside.given_up_) return give_up();
  asked_for_.insert(inside.asked_for_.begin(), inside.asked_for_.end());
  found_.insert(found_.begin(), inside.found_.begin(), inside.found_.end());
  lines_.insert(lines_.end(), inside.lines_.begin(), inside.lines_.end());
}

}  // namespace watcher
