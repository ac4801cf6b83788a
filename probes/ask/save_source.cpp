#include "probes/ask/save_source.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <boost/algorithm/string/predicate.hpp>
#include <utility>
#include <variant>

#include "probes/parse/json.hpp"
#include "probes/parse/names.hpp"

namespace probes {

namespace {

using re2::RE2;
using rules::Fault;
using rules::FaultKind;

constexpr std::size_t saved_max = 8 * 1024;  // bytes of a saved value: it goes into an address or a header

struct SourceWord {
  std::string_view word;
  SaveFrom from;
};
constexpr std::array<SourceWord, 4> source_words{{{"json:", SaveFrom::json},
                                                  {"header:", SaveFrom::header},
                                                  {"cookie:", SaveFrom::cookie},
                                                  {"regex:", SaveFrom::regex}}};

std::string nothing_at(const SaveSource& source) {
  switch (source.from) {
    case SaveFrom::json:
      return "nothing at " + source.what;
    case SaveFrom::header:
      return "no header " + source.what;
    case SaveFrom::cookie:
      return "no cookie " + source.what;
    case SaveFrom::regex:
      return "nothing that matches " + source.what;
  }
  return "";
}

bool reads_body(const SaveSource& source) { return source.from == SaveFrom::json || source.from == SaveFrom::regex; }

std::optional<std::string> field_of(const HttpReply& reply, const std::string& name) {
  const auto field = std::find_if(reply.fields.begin(), reply.fields.end(),
                                  [&](const auto& each) { return boost::iequals(each.first, name); });
  return field == reply.fields.end() ? std::nullopt : std::optional(field->second);
}

}  // namespace

struct Saver::Wish {
  std::string name;
  SaveSource source;
  std::unique_ptr<RE2> pattern;  // only of a regex

  // nullopt: it is not there. `body` is set for a JSON source.
  std::optional<std::string> value(const HttpReply& reply, const CookieJar& jar,
                                   const std::optional<JsonBody>& body) const {
    switch (source.from) {
      case SaveFrom::json:
        return body->text(source.what);
      case SaveFrom::header:
        return field_of(reply, source.what);
      case SaveFrom::cookie:
        return jar.value(source.what);
      case SaveFrom::regex: {
        std::string group;
        return RE2::PartialMatch(reply.body, *pattern, &group) ? std::optional(std::move(group)) : std::nullopt;
      }
    }
    return std::nullopt;
  }
};

Saver::Saver(const std::map<std::string, std::string>& save) {
  for (const auto& [name, text] : save) {
    Wish wish{name, *parse_save_source(text), nullptr};
    if (wish.source.from == SaveFrom::regex) wish.pattern = std::make_unique<RE2>(wish.source.what, RE2::Quiet);
    wishes_.push_back(std::move(wish));
  }
}

Saver::Saver(Saver&&) noexcept = default;
Saver::~Saver() = default;

std::optional<Fault> Saver::save(const HttpReply& reply, const CookieJar& jar, Saved& saved, std::size_t room) const {
  std::optional<JsonBody> body;
  for (const Wish& wish : wishes_) {
    if (reads_body(wish.source) && reply.body_fault) return reply.body_fault;
    if (wish.source.from == SaveFrom::json && !body) {
      auto parsed = JsonBody::parse(reply.body, room);
      if (const auto* fault = std::get_if<Fault>(&parsed)) return *fault;
      body.emplace(std::get<JsonBody>(std::move(parsed)));
    }
    std::optional<std::string> value = wish.value(reply, jar, body);
    if (value && value->size() > saved_max)
      return Fault{FaultKind::too_large, "what is to be saved as " + wish.name + " is longer than 8 KiB"};
    if (!value)
      return Fault{FaultKind::parse, "the answer has " + nothing_at(wish.source) + " to save as " + wish.name};
    saved[wish.name] = *std::move(value);
  }
  return std::nullopt;
}

std::optional<SaveSource> parse_save_source(std::string_view text) {
  for (const SourceWord& each : source_words) {
    if (text.starts_with(each.word)) return SaveSource{each.from, std::string(text.substr(each.word.size()))};
  }
  return std::nullopt;
}

std::string wrong_save_source(const std::string& text) {
  const std::optional<SaveSource> source = parse_save_source(text);
  if (!source || source->what.empty())
    return "\"" + text +
           "\" does not say where the value is; write \"json:/POINTER\", \"header:NAME\", "
           "\"cookie:NAME\" or \"regex:PATTERN\" with one group, of the body";
  if (source->from == SaveFrom::json) return wrong_pointer(source->what);
  if (source->from != SaveFrom::regex) return "";
  const RE2 pattern(source->what, RE2::Quiet);
  if (!pattern.ok()) return "not an RE2 pattern: " + pattern.error();
  return pattern.NumberOfCapturingGroups() == 1 ? "" : "the pattern needs exactly one group, which is what is saved";
}

}  // namespace probes
