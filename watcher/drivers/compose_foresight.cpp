#include "watcher/drivers/compose_foresight.hpp"

#include <variant>

#include "watcher/drivers/compose_names.hpp"
#include "watcher/drivers/ourselves.hpp"

namespace watcher {

std::string why_no_target(const ComposeRecords& records, const rules::Revision& to, const ComposeDriver& config) {
  const ComposeRecord* const target = records.find(to);
  if (target == nullptr) {
    return to.text +
           " was never seen to run here, so nobody knows its images; do roll back to one that was, or deploy "
           "it by hand";
  }
  for (const std::string& service : config.services) {
    if (!target->images.contains(service))
      return to.text + " ran before " + service + " belonged to the service; do deploy it by hand";
  }
  if (records.configuration_of(to).empty()) {
    return "what " + to.text + " was configured with is not known: the files in " + config.dir +
           " were not those that had made its containers; do keep in them or in .env what the deployment sets in its "
           "shell, then docker compose up -d, or deploy it by hand";
  }
  if (!config.restores_files) return {};
  for (const std::string& name : config.keep) {
    if (!target->kept.contains(name)) {
      return "no copy of " + name + " was kept with " + to.text + "; do say restore = \"nothing\", or put that file " +
             "back by hand";
    }
  }
  return {};
}

asio::awaitable<std::string> why_no_images(const ComposeRunner& runner, ComposeRecord target) {
  std::vector<std::string> question{"image", "inspect", "--format", "{{.Id}}"};
  for (const auto& one : target.images) question.push_back(one.second.image);
  const ComposeAnswer answer = co_await runner.docker(std::move(question), docker_question_limit);
  const auto* const error = std::get_if<ComposeError>(&answer);
  if (error == nullptr) co_return std::string();
  for (const auto& one : target.images) {
    const ComposeImage& image = one.second;
    const bool is_gone = error->what.find("o such image") != std::string::npos &&
                         error->what.find(image.image.substr(0, image.image.find(':') + 13)) != std::string::npos;
    if (!is_gone) continue;
    const std::string gone = "the image of " + one.first + " in " + target.revision.text +
                             " is gone from this host: " + shown_image(image) + "; do ";
    co_return gone + (image.digests.empty() ? "build it again, or docker load it: no registry has it"
                                            : "docker pull " + image.digests.front());
  }
  co_return error->what;
}

std::string why_own_container(const ComposeLook& look) {
  const std::string own = own_container();
  for (const ComposeContainer& one : look.containers) {
    if (own.empty() || one.id != own) continue;
    return one.name +
           " is the container that rollbackd runs in: to make it anew would end the rollback in the middle; " +
           "do name the application's service: compose_service";
  }
  return {};
}

}  // namespace watcher
