#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include "probes/parse/number.hpp"
#include "watcher/drivers/compose_names.hpp"
#include "watcher/drivers/compose_switch.hpp"

// What stands around the switch itself: what is kept of what ran, the kept files, what people have to know, and the way
// back after a trouble.

namespace watcher {

namespace {

// Going back is not for the time limit of the switch, which may be what ended it.
constexpr rules::Duration go_back_limit = std::chrono::minutes(5);
constexpr int restarts_max = 3;  // after which a container that is restarted again and again will not come up

std::string ending_of(const ComposeContainer& one) {
  return one.name + (one.oom_killed ? " was killed for want of memory" : " has ended") + " with exit code " +
         std::to_string(one.exit_code) + "; its last words: docker logs " + one.name;
}

void judge(const ComposeContainer& one, ComposeProgress& out) {
  out.seen += one.id + one.started + std::to_string(one.restarts) + "\n";
  const bool is_looping = one.status == "restarting" && one.restarts >= restarts_max;
  if (one.status == "exited" || one.status == "dead" || is_looping) {
    out.failed = ending_of(one);
  } else if (one.health == "unhealthy") {
    out.failed = one.name + " is unhealthy; what its health check says: docker inspect " + one.name;
  } else if (one.status != "running") {
    out.awaited = one.name + " is still " + one.status;
  } else if (one.health == "starting") {
    out.awaited = one.name + " runs, but its health check still says starting";
  }
  if (one.health.empty()) out.is_certain = false;
}

}  // namespace

ComposeProgress progress_of(const ComposeLook& look, const std::vector<std::string>& services) {
  ComposeProgress out;
  out.is_certain = true;
  for (const std::string& service : services) {
    const ComposeContainer* newest = nullptr;
    bool runs = false;
    for (const ComposeContainer& one : look.containers) {
      if (one.service != service) continue;
      if (newest == nullptr || newest->created < one.created) newest = &one;
      if (!one.runs()) continue;
      runs = true;
      judge(one, out);
    }
    if (newest == nullptr) out.awaited = "there is no container of " + service;
    if (newest != nullptr && !runs) judge(*newest, out);
  }
  if (look.containers.empty() && !look.error.empty()) out.awaited = look.error;
  out.is_up = out.failed.empty() && out.awaited.empty();
  if (out.awaited.empty()) out.awaited = "the containers are not up for certain";
  return out;
}

namespace {

bool is_gone(const std::string& file) {
  std::error_code failure;
  return std::filesystem::symlink_status(file, failure).type() == std::filesystem::file_type::not_found;
}

}  // namespace

asio::awaitable<ComposeSwitch::MaybeTrouble> ComposeSwitch::restore_files() {
  for (const std::string& name : runner_.config().keep) {
    const std::string file = runner_.config().dir + "/" + name;
    const std::string& wanted = target_.kept.at(name);
    std::string plain = name;
    std::replace(plain.begin(), plain.end(), '/', '_');
    // What is gone is what is to be brought back, and nothing has to be put aside for it.
    if (!is_gone(file)) {
      const ComposeAnswer now_so = co_await runner_.read_file(file);
      if (const auto* const error = std::get_if<ComposeError>(&now_so)) co_return *error;
      const auto& content = std::get<std::string>(now_so);
      if (content == wanted) continue;
      const std::string ours = service_ + ".aside." + plain;
      const auto fault = memory_.file().write_beside(ours, content);
      if (fault) co_return ComposeError{"put " + file + " aside: " + *fault};
      put_aside_.push_back({file, memory_.file().beside(ours)});
    }
    const std::string theirs = service_ + ".restore." + plain;
    const auto fault = memory_.file().write_beside(theirs, wanted);
    if (fault) co_return ComposeError{"bring " + file + " back: " + *fault};
    begun_ = true;
    const ComposeAnswer written = co_await runner_.write_file(file, memory_.file().beside(theirs));
    if (const auto* const error = std::get_if<ComposeError>(&written)) co_return *error;
  }
  co_return MaybeTrouble();
}

asio::awaitable<void> ComposeSwitch::put_files_back(ComposeError& trouble) {
  for (const PutAside& one : put_aside_) {
    const ComposeAnswer written = co_await runner_.write_file(one.file, one.ours);
    const auto* const error = std::get_if<ComposeError>(&written);
    trouble.what += "\n" + one.file + (error == nullptr ? " is as it was" : " is not as it was: " + error->what);
  }
}

// Where the files say what the target was made with, by name, only a name that leads to another image now is worth a
// word.
asio::awaitable<bool> ComposeSwitch::files_say_target() {
  std::vector<std::string> question{"config"};
  const ComposeAnswer answer = co_await runner_.compose(tool_, before_.project, std::move(question));
  const auto* const now_so = std::get_if<std::string>(&answer);
  if (now_so == nullptr || *now_so != target_.configuration) co_return false;
  for (const auto& one : target_.images) {
    std::vector<std::string> named{"image", "inspect", "--format", "{{.Id}}"};
    named.push_back(one.second.name);
    const ComposeAnswer id = co_await runner_.docker(std::move(named), docker_question_limit);
    const auto* const text = std::get_if<std::string>(&id);
    if (text == nullptr || probes::trimmed(*text) != one.second.image) co_return false;
  }
  co_return true;
}

std::vector<std::string> ComposeSwitch::what_files_still_say() {
  std::vector<std::string> lines;
  const ComposeRecord* const left = memory_.records()->find(rules::Revision(before_.revision));
  for (const auto& [service, image] : target_.images) {
    const auto before = left == nullptr ? target_.images.end() : left->images.find(service);
    const bool is_known = left != nullptr && before != left->images.end();
    const bool same_image = is_known && before->second.image == image.image;
    const bool same_name = is_known && before->second.name == image.name;
    std::string then = "let them say what " + request_.to.text + " ran with";
    if (!same_image && same_name)
      then = "docker tag " + image.image + " " + image.name;
    else if (!same_image)
      then = "let them say " + shown_image(image);
    lines.push_back("The Compose files of " + service + " still say what was left: docker compose up would bring it " +
                    "back. To stay with what runs now, " + then);
  }
  return lines;
}

asio::awaitable<ComposeSwitch::MaybeTrouble> ComposeSwitch::note_aftermath() {
  const bool is_said = co_await files_say_target();
  std::vector<std::string> lines;
  if (!is_said) lines = what_files_still_say();
  for (const PutAside& one : put_aside_) lines.push_back("What " + one.file + " had before lies in " + one.ours);
  for (std::string& line : what_is_made_anew(sharers_)) lines.push_back(std::move(line));
  memory_.records()->aftermath = std::move(lines);
  const std::optional<std::string> fault = memory_.save();
  if (!fault) co_return MaybeTrouble();
  co_return ComposeError{"note what is done: " + *fault};
}

// A trouble in the middle may have removed what ran before the new containers could be made.
asio::awaitable<void> ComposeSwitch::put_back(ComposeError& trouble) {
  std::vector<std::string> services = runner_.config().services;
  const ComposeLook look = co_await look_at_project(runner_, std::move(services));
  const ComposeProgress now_so = progress_of(look, runner_.config().services);
  const std::string& from = before_.revision;
  const bool stayed = !from.empty() && look.revision == from && now_so.is_up;
  MaybeTrouble failed;
  going_back_ = true;
  if (stayed) {
    trouble.what += "\n" + from + " still runs";
  } else if (from_document_.empty()) {
    trouble.what += "\nWhat ran before cannot be put back: " + why_no_way_back_ + "; do docker compose up -d";
    for (const std::string& service : runner_.config().services) trouble.what += " " + service;
    co_return;
  } else {
    failed = co_await up(from_document_, go_back_limit);
    const rules::Instant now = clock_.now();
    if (!failed) failed = co_await wait_until_up(now, now + go_back_limit);
    trouble.what += "\n" + from;
    trouble.what += failed ? " was put back, but is not up: " + failed->what : " was put back and runs again";
  }
  co_await forget_aftermath(trouble);
}

// The target does not run: neither are the files to be its.
asio::awaitable<void> ComposeSwitch::forget_aftermath(ComposeError& trouble) {
  co_await put_files_back(trouble);
  memory_.records()->aftermath.clear();
  memory_.save();
}

}  // namespace watcher
