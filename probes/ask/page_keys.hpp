#pragma once

#include <array>

#include "probes/key_rows.hpp"
#include "probes/net/tls.hpp"
#include "probes/parse/names.hpp"
#include "probes/probe.hpp"

namespace probes {

// The keys that whoever asks over HTTP has.

inline constexpr std::array expect_keys{
    key<Kind::statuses, &Expectation::status>("status", "The statuses that are right.").when_left_out("\"200-299\""),
    key<Kind::object, &Expectation::json>("json", "Values that the answer must have, by JSON pointer."),
    key<Kind::pattern, &Expectation::body>("body", "A pattern that must be found in the answer."),
};

inline constexpr std::array tls_keys{
    key<Kind::path, &TlsOptions::ca_file>("ca_file", "The certificates that are trusted.")
        .checked(wrong_ca_file)
        .when_left_out("the system's"),
    key<Kind::string, &TlsOptions::server_name>("server_name", "The name that the certificate must have.")
        .when_left_out("the address's host"),
    key<Kind::flag, &TlsOptions::verify>("verify", "Whether the certificate is checked."),
};

// One address or several; both keys fill the same list.
template <class Page>
constexpr Key url_key() {
  Key out = key<Kind::addresses, &Page::urls>("url", "The address that is asked.");
  out.kind = Kind::address;
  out.get = [](const void* object) -> Value {
    const auto& urls = static_cast<const Page*>(object)->urls;
    return urls.size() == 1 ? Value(urls.front()) : Value();
  };
  out.set = [](void* object, Value value) {
    static_cast<Page*>(object)->urls = {std::get<rules::Text>(std::move(value))};
  };
  return out;
}

template <class Page>
constexpr Key urls_key() {
  Key out = key<Kind::addresses, &Page::urls>("urls", "The addresses of several instances, in place of url.");
  out.get = [](const void* object) -> Value {
    const auto& urls = static_cast<const Page*>(object)->urls;
    return urls.size() == 1 ? Value() : Value(urls);
  };
  return out;
}

template <class Page>
inline constexpr std::array page_keys{
    url_key<Page>(),
    urls_key<Page>(),
    key<Kind::headers, &Page::options, &HttpOptions::headers>("header", "Headers that are sent."),
    table<&Page::options, &HttpOptions::tls>("tls", tls_keys, "How https:// is spoken."),
    key<Kind::size, &Page::options, &HttpOptions::body_max>("body_max", "A larger answer is not read."),
    key<Kind::integer, &Page::options, &HttpOptions::redirects>("redirects", "How many redirects are followed.")
        .between(0, 10),
};

// What a JSON body is, unless the file says so itself.
inline void settle_body(const rules::Text& body, std::string& content_type) {
  if (content_type.empty() && body.origin.starts_with("{ json")) content_type = "application/json";
}

inline void settle_urls(Given& given, bool needed) {
  if (given.has("url") && given.has("urls")) given.error("urls", "give either url or urls");
  if (needed && !given.has("url") && !given.has("urls")) given.missing("url", "write url = \"http://HOST:PORT/PATH\"");
}

}  // namespace probes
