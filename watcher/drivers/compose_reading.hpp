#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "watcher/drivers/compose_identity.hpp"
#include "watcher/drivers/compose_runner.hpp"

namespace watcher {

// A line of `docker ps`.
struct ComposeListed {
  std::string id;
  std::string project;
  std::string service;
  std::string working_dir;
};

// Which of them are those services of the project: the one that is configured, else the one whose folder or whose
// files' folder it is, else the one that Compose would name after the folder. `error`: several could be meant.
struct ComposeChosen {
  std::string error;
  std::string project;
  std::vector<std::string> ids;
};
ComposeChosen chosen_of(const std::vector<ComposeListed>& listed, const ComposeDriver& config,
                        const std::vector<std::string>& services);

// What Compose calls a project after its folder: small letters, digits, - and _ of its name.
std::string project_named_after(const std::string& folder);

std::vector<ComposeListed> parse_listed(std::string_view text);

// What runs of those services now, as Docker says.
asio::awaitable<ComposeLook> look_at_project(const ComposeRunner& runner, std::vector<std::string> services);

}  // namespace watcher
