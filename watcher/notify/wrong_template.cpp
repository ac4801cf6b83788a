#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>
#include <cctype>

#include "watcher/notify/fields.hpp"

namespace watcher {

namespace {

bool is_field(std::string_view name) {
  for (const MessageField& field : message_fields()) {
    if (field.name == name) return true;
  }
  return false;
}

bool is_of_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// A brace and what follows it, read as generously as it may have been meant.
struct Opened {
  std::string meant;  // "title" of "{ Title"
  std::string text;   // as it stands, without a brace that closes it
  bool is_closed = false;
};

Opened opened_at(std::string_view pattern, std::size_t brace) {
  std::size_t at = brace + 1;
  const auto skip_spaces = [&] {
    while (at < pattern.size() && pattern[at] == ' ') ++at;
  };
  Opened out;
  skip_spaces();
  for (; at < pattern.size() && is_of_name(pattern[at]); ++at)
    out.meant += static_cast<char>(std::tolower(static_cast<unsigned char>(pattern[at])));
  out.text = std::string(pattern.substr(brace, at - brace));
  const std::size_t end = at;
  skip_spaces();
  out.is_closed = at < pattern.size() && pattern[at] == '}';
  if (out.is_closed) out.text += std::string(pattern.substr(end, at - end)) + "}";
  return out;
}

// {"text": or [{"text":. "[{severity}] {title}" is a text.
bool begins_as_json(std::string_view pattern) {
  std::string begin;
  for (std::size_t at = 0; at < pattern.size() && begin.size() < 3; ++at) {
    if (std::isspace(static_cast<unsigned char>(pattern[at])) == 0) begin += pattern[at];
  }
  return begin.starts_with("{\"") || begin == "[{\"";
}

// Filled in with what people, revisions and measurements may say, which is a text and stands in quotes for that.
bool is_json_of(std::string_view pattern) {
  const auto worst = [](std::string_view) { return std::string(R"(\"a\", {\"b\": [\\]} \n\u0007)"); };
  const std::string filled = from_template(pattern, rules::Tell(), "", worst);
  boost::system::error_code failure;
  const boost::json::value value = boost::json::parse(filled, failure);
  return !failure;
}

}  // namespace

std::string wrong_template(std::string_view pattern) {
  if (pattern.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return "is empty: nothing would be said; leave it out for the type's own";
  for (std::size_t at = pattern.find('{'); at != std::string_view::npos; at = pattern.find('{', at + 1)) {
    const Opened opened = opened_at(pattern, at);
    if (!is_field(opened.meant) || opened.text == "{" + opened.meant + "}") continue;
    const std::string what = opened.is_closed ? "has " : "does not close ";
    return what + opened.text + ", for which nothing is filled in; write {" + opened.meant + "}";
  }
  if (begins_as_json(pattern) && !is_json_of(pattern))
    return "begins as JSON and is none once it is filled in; write names and fields in quotes, also those that may be "
           "numbers, such as {\"text\": \"{title}\"}";
  return "";
}

}  // namespace watcher
