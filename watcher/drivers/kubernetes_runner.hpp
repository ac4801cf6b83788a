#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <variant>
#include <vector>

#include "probes/net/child.hpp"
#include "watcher/config/config.hpp"
#include "watcher/drivers/kubernetes_identity.hpp"
#include "watcher/drivers/tool_error.hpp"

namespace watcher {

namespace asio = boost::asio;

using KubernetesError = ToolError;
using KubernetesAnswer = std::variant<std::string, KubernetesError>;

// Asks and changes one Deployment through kubectl. The configuration must outlive it.
class KubernetesRunner {
 public:
  // `started` is told of what may change something; empty: nobody wants to know. Who wants to know is in a switch,
  // where questions may take longer.
  KubernetesRunner(const KubernetesDriver& config, const std::string& state_dir, probes::Started started);

  const KubernetesDriver& config() const { return config_; }
  // "deployment/web", or with its namespace.
  std::string name() const;
  // Why nothing can be run at all, and what to do; empty: it can. Starts nothing.
  std::string why_not_started() const;
  // What runs. Where it could not be asked, `error` says why.
  asio::awaitable<KubernetesLook> look() const;
  // Why the API would not let us change it; empty: it would.
  asio::awaitable<std::string> why_not_permitted() const;
  // Gives it a JSON Patch. What may have changed it all the same is not known where that failed.
  asio::awaitable<KubernetesAnswer> patch(std::string document) const;
  // `kubectl WORDS` of the right cluster and namespace, to be asked by whoever keeps evidence.
  probes::ChildSpec question(std::vector<std::string> words, rules::Duration limit) const;

 private:
  probes::ChildSpec plain(std::vector<std::string> words, rules::Duration limit) const;
  asio::awaitable<KubernetesAnswer> ask(std::vector<std::string> words) const;
  KubernetesError error_of(const probes::ChildSpec& spec, const probes::ChildResult& child) const;
  std::string advice_for(std::string_view said) const;

  const KubernetesDriver& config_;
  std::string cache_dir_;
  probes::Started started_;
};

}  // namespace watcher
