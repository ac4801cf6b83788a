#include "watcher/drivers/compose_document.hpp"

#include <set>
#include <string_view>

namespace watcher {

namespace {

using std::string_view;

constexpr std::size_t service_depth = 2;  // blanks
constexpr std::size_t key_depth = 4;

std::size_t depth_of(string_view line) {
  const std::size_t at = line.find_first_not_of(' ');
  return at == string_view::npos ? line.size() : at;
}

// `  "web":` is web; empty: the line is no key.
string_view key_of(string_view line) {
  line.remove_prefix(depth_of(line));
  const bool is_quoted = !line.empty() && (line.front() == '"' || line.front() == '\'');
  const std::size_t end = is_quoted ? line.find(line.front(), 1) : line.find(':');
  if (end == string_view::npos) return {};
  if (is_quoted) return line.substr(end + 1).starts_with(':') ? line.substr(1, end - 1) : string_view();
  return line.substr(0, end);
}

// Line by line: what stands deeper than a key, or is empty, belongs to it.
class Pinning {
 public:
  Pinning(const std::map<std::string, std::string>& images, bool knows_policy)
      : images_(images), knows_policy_(knows_policy) {}

  void take(string_view line) {
    const bool is_blank = line.find_first_not_of(' ') == string_view::npos;
    const std::size_t depth = depth_of(line);
    if (!is_blank && depth == 0) in_services_ = key_of(line) == "services";
    const bool leaves = !is_blank && depth <= key_depth;
    if (leaves) leaving_out_ = false;
    const bool is_service = in_services_ && !is_blank && depth == service_depth;
    if (is_service) of_ours_ = images_.contains(std::string(key_of(line)));
    if (!in_services_) of_ours_ = false;
    if (of_ours_ && leaves && depth == key_depth) {
      const string_view key = key_of(line);
      leaving_out_ = key == "image" || key == "build" || key == "pull_policy";
    }
    if (leaving_out_) return;
    out_.append(line).append("\n");
    if (is_service && of_ours_) pin(std::string(key_of(line)));
  }

  const std::string& text() const { return out_; }
  const std::set<std::string>& done() const { return done_; }

 private:
  void pin(const std::string& service) {
    done_.insert(service);
    out_ += "    image: '" + images_.at(service) + "'\n";
    if (knows_policy_) out_ += "    pull_policy: never\n";
  }

  const std::map<std::string, std::string>& images_;
  bool knows_policy_;
  bool in_services_ = false;
  bool of_ours_ = false;
  bool leaving_out_ = false;
  std::string out_;
  std::set<std::string> done_;
};

}  // namespace

std::variant<ComposePinned, std::string> pinned(const std::string& configuration,
                                                const std::map<std::string, std::string>& images, bool knows_policy) {
  Pinning pinning(images, knows_policy);
  string_view rest = configuration;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    pinning.take(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const auto& [service, image] : images) {
    if (!pinning.done().contains(service)) return "the project's configuration has no service \"" + service + "\"";
  }
  return ComposePinned{pinning.text()};
}

}  // namespace watcher
