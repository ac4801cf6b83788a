#include "watcher/drivers/compose_identity.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <utility>

namespace watcher {

namespace {

constexpr std::size_t digits_shown = 12;
constexpr std::size_t images_shown_max = 4;

std::string brief(const std::string& image) {
  const std::size_t colon = image.find(':');
  return image.substr(colon == std::string::npos ? 0 : colon + 1, digits_shown);
}

// Those that say what is deployed: all that run, else the newest.
std::vector<const ComposeContainer*> deployed_of(const std::vector<ComposeContainer>& all, const std::string& service) {
  std::vector<const ComposeContainer*> running;
  const ComposeContainer* newest = nullptr;
  for (const ComposeContainer& one : all) {
    if (one.service != service) continue;
    if (one.runs()) running.push_back(&one);
    if (newest == nullptr || newest->created < one.created) newest = &one;
  }
  if (running.empty() && newest != nullptr) running.push_back(newest);
  return running;
}

std::string difference(const ComposeContainer& one, const ComposeContainer& other) {
  if (one.image != other.image)
    return one.name + " runs the image " + brief(one.image) + ", " + other.name + " runs " + brief(other.image);
  return one.name + " and " + other.name + " have one image but were made with different settings";
}

}  // namespace

std::string compose_label(const std::map<std::string, ComposeRuns>& runs) {
  std::string out;
  for (const auto& [service, one] : runs) {
    if (one.image_name.empty() || one.image_name.starts_with("sha256:") ||
        one.image_name.find('@') != std::string::npos)
      return {};
    const std::string name = one.image_name.substr(one.image_name.rfind('/') + 1);
    if (out.find(name) == std::string::npos) out += (out.empty() ? "" : ", ") + name;
  }
  return out;
}

std::string sha256_hex(std::string_view text) {
  constexpr const char* hex = "0123456789abcdef";
  constexpr unsigned half = 4;  // bits of a digit
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  std::array<unsigned char, 1> empty{};
  const auto* bytes =
      text.empty() ? empty.data() : static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
  SHA256(bytes, text.size(), digest.data());
  std::string out;
  for (const unsigned char byte : digest) {
    out += hex[byte >> half];
    out += hex[byte & 0xFU];
  }
  return out;
}

std::string compose_revision(const std::map<std::string, ComposeRuns>& runs) {
  std::string images;
  std::string everything;
  for (const auto& [service, of_service] : runs) {
    images += (images.empty() ? "" : ".") + brief(of_service.image);
    everything += service + "\n" + of_service.image + "\n" + of_service.configured + "\n";
  }
  if (runs.size() > images_shown_max) images = sha256_hex(images).substr(0, digits_shown);
  return images + "-" + sha256_hex(everything).substr(0, digits_shown);
}

ComposeLook compose_look(std::vector<ComposeContainer> containers, const std::vector<std::string>& services) {
  ComposeLook look;
  look.containers = std::move(containers);
  std::string missing;
  bool all_stopped = true;
  for (const std::string& service : services) {
    const std::vector<const ComposeContainer*> deployed = deployed_of(look.containers, service);
    if (deployed.empty()) {
      missing += (missing.empty() ? "" : ", ") + service;
      continue;
    }
    const ComposeContainer& first = *deployed.front();
    // One that runs has not been stopped either.
    all_stopped = all_stopped && std::all_of(look.containers.begin(), look.containers.end(), [&](const auto& one) {
                    return one.service != service || is_stopped(one);
                  });
    for (const ComposeContainer* const other : deployed) {
      const bool agree = other->image == first.image && other->configured == first.configured;
      if (!agree && look.error.empty()) {
        look.differ = true;
        look.error = "the containers of " + service + " do not agree: " + difference(first, *other) +
                     "; that is so while a deployment goes on, and else docker compose up -d " + service +
                     " makes them one";
      }
    }
    look.project = first.project;
    look.working_dir = first.working_dir;
    look.made_by = first.made_by;
    const auto count = static_cast<std::size_t>(
        std::count_if(deployed.begin(), deployed.end(), [](const auto* one) { return one->runs(); }));
    look.runs[service] = {first.image, first.image_name, first.config_hash, first.configured, count};
  }
  look.absent = look.runs.empty();
  // Containers do not go by themselves.
  if (look.absent)
    look.stopped = "the containers of " + missing + " were removed; do docker compose up -d " + missing;
  else if (all_stopped && missing.empty())
    look.stopped = "the containers of " + services.front() +
                   " were stopped, or made and not started; do docker compose up -d " + services.front();
  if (look.error.empty() && !missing.empty())
    look.error = "there is no container of " + missing + "; do docker compose up -d " + missing;
  if (look.error.empty()) look.revision = compose_revision(look.runs);
  return look;
}

}  // namespace watcher
