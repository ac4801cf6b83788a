#include "watcher/drivers/compose_reading.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <utility>

namespace watcher {

namespace {

namespace fs = std::filesystem;

constexpr const char* listing_format =
    "{{.ID}}\t{{.Label \"com.docker.compose.project\"}}\t{{.Label \"com.docker.compose.service\"}}\t"
    "{{.Label \"com.docker.compose.project.working_dir\"}}";

void add_folder(std::set<std::string>& folders, const std::string& path) {
  if (path.empty()) return;
  folders.insert(fs::path(path).lexically_normal().string());
  std::error_code failure;
  const fs::path real = fs::canonical(path, failure);
  if (!failure) folders.insert(real.string());
}

// Compose goes by the folder of its first file; links may have been followed on the way or not.
std::set<std::string> folders_of(const ComposeDriver& config) {
  std::set<std::string> out;
  if (!config.files.empty()) add_folder(out, fs::path(config.files.front()).parent_path().string());
  add_folder(out, config.dir);
  return out;
}

bool is_in(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

std::string project_named_after(const std::string& folder) {
  std::string out;
  for (const char c : fs::path(folder).lexically_normal().filename().string()) {
    const bool is_capital = c >= 'A' && c <= 'Z';
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (is_capital) out += static_cast<char>(c - 'A' + 'a');
    if (is_plain) out += c;
  }
  return out;
}

std::vector<ComposeListed> parse_listed(std::string_view text) {
  std::vector<ComposeListed> out;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::array<std::string, 4> parts;
    for (std::string& part : parts) {
      const std::string_view word = line.substr(0, line.find('\t'));
      part = std::string(word);
      line.remove_prefix(std::min(word.size() + 1, line.size()));
    }
    if (!parts[0].empty()) out.push_back({parts[0], parts[1], parts[2], parts[3]});
  }
  return out;
}

ComposeChosen chosen_of(const std::vector<ComposeListed>& listed, const ComposeDriver& config,
                        const std::vector<std::string>& services) {
  ComposeChosen out;
  out.project = config.project;
  const std::set<std::string> folders = folders_of(config);
  std::set<std::string> projects;
  for (const ComposeListed& one : listed) {
    if (is_in(services, one.service) && folders.contains(one.working_dir)) projects.insert(one.project);
  }
  if (out.project.empty() && projects.size() > 1) {
    out.error = "several projects were started from " + config.dir + ":";
    for (const std::string& project : projects) out.error += " " + project;
    out.error += "; say which: project = \"" + *projects.begin() + "\"";
    return out;
  }
  if (out.project.empty() && !projects.empty()) out.project = *projects.begin();
  const std::string project = out.project.empty() ? project_named_after(*folders.begin()) : out.project;
  for (const ComposeListed& one : listed) {
    if (one.project == project && is_in(services, one.service)) out.ids.push_back(one.id);
  }
  return out;
}

asio::awaitable<ComposeLook> look_at_project(const ComposeRunner& runner, std::vector<std::string> services) {
  constexpr int tries = 2;  // a container may end to be between two questions
  ComposeLook look;
  for (int i = 0; i < tries; ++i) {
    std::vector<std::string> list{
        "ps", "--all", "--no-trunc", "--filter", "label=com.docker.compose.oneoff=False", "--format", listing_format};
    const ComposeAnswer listed = co_await runner.docker(std::move(list), docker_question_limit);
    if (const auto* const error = std::get_if<ComposeError>(&listed)) {
      look.error = error->what;
      co_return look;
    }
    const std::vector<ComposeListed> all = parse_listed(std::get<std::string>(listed));
    ComposeChosen chosen = chosen_of(all, runner.config(), services);
    look.project = chosen.project;
    look.error = chosen.error;
    if (!look.error.empty()) co_return look;
    if (chosen.ids.empty()) {
      look = compose_look(std::vector<ComposeContainer>(), services);
      look.project = chosen.project;
      co_return look;
    }
    std::vector<std::string> inspect{"inspect", "--type", "container"};
    inspect.insert(inspect.end(), chosen.ids.begin(), chosen.ids.end());
    const ComposeAnswer told = co_await runner.docker(std::move(inspect), docker_question_limit);
    const auto* const text = std::get_if<std::string>(&told);
    if (text == nullptr) {
      look.error = std::get<ComposeError>(told).what;
      continue;
    }
    ComposeContainers containers = parse_containers(*text);
    if (auto* const found = std::get_if<std::vector<ComposeContainer>>(&containers))
      co_return compose_look(std::move(*found), services);
    look.error = std::get<std::string>(containers);
    co_return look;
  }
  co_return look;
}

}  // namespace watcher
