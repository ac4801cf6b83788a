#include <array>
#include <string_view>

#include "probes/ask/page_keys.hpp"
#include "probes/key_rows.hpp"
#include "probes/net/url.hpp"
#include "watcher/config/http_line.hpp"
#include "watcher/config/kinds.hpp"
#include "watcher/drivers/http_driver.hpp"

namespace watcher {

namespace {

using probes::Key;
using probes::key;
using probes::Kind;

constexpr probes::Own dispatch_line{
    http_line_type, "\"POST https://api.github.com/repos/o/r/actions/workflows/rollback.yml/dispatches\"",
    [](TableReader& reader, const Key& key, void* object) {
      read_http_line(reader, key, static_cast<HttpWorkflow*>(object)->dispatch);
    },
    [](const void* object) { return http_line_toml(static_cast<const HttpWorkflow*>(object)->dispatch); }};

constexpr std::array keys{
    key<Kind::address, &HttpWorkflow::version>("version", "The application's address that says which revision runs.")
        .required("the address that says what runs, such as version = \"https://shop.example.com/version\""),
    key<Kind::string, &HttpWorkflow::version_json>("version_json", "Where in its JSON the revision is, a JSON pointer.")
        .checked(probes::wrong_pointer)
        .when_left_out("its first line is the revision"),
    key<Kind::pattern, &HttpWorkflow::version_match>("version_match", "Its group is the revision.")
        .when_left_out("all of it"),
    key<Kind::headers, &HttpWorkflow::version_headers>("version_header", "Headers that are sent to version."),
    own_key("dispatch", dispatch_line,
            "The request that begins a run; {to}, {from} and {id} are filled in, here and in body.")
        .with_names()
        .required("the request that begins a run, such as dispatch = \"POST https://api.github.com/...\""),
    key<Kind::headers, &HttpWorkflow::dispatch, &rules::HttpStep::headers>(
        "header", "Headers that are sent with dispatch, runs and target: the credentials."),
    key<Kind::body, &HttpWorkflow::dispatch, &rules::HttpStep::body>("body", "What is sent with dispatch."),
    key<Kind::string, &HttpWorkflow::dispatch, &rules::HttpStep::content_type>("content_type", "What the body is.")
        .when_left_out("\"application/json\" for a JSON body"),
    key<Kind::address, &HttpWorkflow::runs>(
        "runs",
        "The address of the list of runs; {since} (when it was asked for, less five "
        "minutes), {id}, {to} and {from} are filled in.")
        .with_names()
        .required("the list of runs, such as runs = \"https://api.github.com/...\""),
    key<Kind::string, &HttpWorkflow::runs_json>("runs_json", "Where in its JSON the list is, a JSON pointer.")
        .checked(probes::wrong_pointer)
        .also_empty(),
    key<Kind::strings, &HttpWorkflow::run_has_id>(
        "run_has_id", "JSON pointers in a run: the one of which has {id} in it is the one that was asked for.")
        .checked(probes::wrong_pointer),
    key<Kind::object, &HttpWorkflow::done>("done", "What a run that has ended has; an array is one of several values."),
    key<Kind::object, &HttpWorkflow::success>("success", "What one has besides that ended well."),
    key<Kind::string, &HttpWorkflow::run_link>("run_link", "Where in a run the address for people is, a JSON pointer.")
        .checked(probes::wrong_pointer),
    key<Kind::address, &HttpWorkflow::target>("target", "An address that answers 2xx while the target {to} is there.")
        .with_names()
        .when_left_out("it is not asked whether the target is there"),
    key<Kind::path, &HttpWorkflow::ca_file>("ca_file", "The certificates that are trusted.")
        .checked(probes::wrong_ca_file)
        .when_left_out("the system's"),
    key<Kind::duration, &HttpWorkflow::poll_interval>("poll_interval", "How often a run is looked at.")
        .at_least(std::chrono::milliseconds(200)),
    key<Kind::duration, &HttpWorkflow::appears_within>("appears_within", "How long a run may take to be in the list.")
        .at_least(std::chrono::seconds(1)),
    key<Kind::duration, &HttpWorkflow::version_within>("version_within",
                                                       "How long version may take to say the target after a run.")
        .at_least(std::chrono::seconds(1)),
};

bool names(const std::string& text, std::string_view placeholder) { return text.find(placeholder) != text.npos; }

// Scheme, host and port, with words for the names in braces.
std::string origin_of(std::string url) {
  const std::size_t host = url.find("://");
  if (host != std::string::npos) url.resize(std::min(url.find_first_of("/?", host + 3), url.size()));
  const rules::Parsed<probes::Url> parsed = probes::parse_url(url);
  const auto* const right = std::get_if<probes::Url>(&parsed);
  if (right == nullptr) return {};
  return (right->tls ? "https://" : "http://") + right->host + ":" + std::to_string(right->port);
}

// Credentials go to one place only, and a run has to be found again.
void settle(void* object, probes::Given& given) {
  auto& driver = *static_cast<HttpWorkflow*>(object);
  rules::HttpStep& dispatch = driver.dispatch;
  probes::settle_body(dispatch.body, dispatch.content_type);
  refuse_commands(given, "http");
  if (!given.has("dispatch") || !given.has("runs")) return;
  const std::string all = dispatch.url.value + dispatch.body.value;
  if (!names(all, "{to}")) given.error("dispatch", "nothing says what to go to; write {to} in body or dispatch");
  if (!names(all, "{id}"))
    given.error("dispatch",
                "its run could not be told from others; write {id} in body or dispatch, and have the run "
                "called by it (run-name in GitHub Actions)");
  const std::string place = origin_of(dispatch.url.value);
  const auto check_place = [&](std::string_view name, const Text& url) {
    if (given.has(name) && !place.empty() && origin_of(url.value) != place)
      given.error(name, "is at another host than dispatch, and header would go there; give both the same");
  };
  check_place("runs", driver.runs);
  check_place("target", driver.target);
  if (driver.run_has_id.empty()) given.error("run_has_id", "is empty; write where a run is called by its id");
  if (driver.done.empty()) given.error("done", "is empty; write what a run has that has ended");
  if (driver.success.empty()) given.error("success", "is empty; write what a run has that ended well");
}

}  // namespace

probes::Variety HttpDriver::variety() {
  return probes::variety<DriverKind, HttpDriver, &HttpDriver::workflow>(
      "http", "A workflow of a CI is asked for it over HTTP; the application says which revision runs.", keys, settle);
}

std::unique_ptr<Driver> HttpDriver::make(const DriverSection& section, const std::string& state_dir,
                                         const probes::Clock& clock) const {
  return make_http_driver(section.service, *workflow, section.timeout, state_dir, clock);
}

}  // namespace watcher
