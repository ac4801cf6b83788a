#include "watcher/drivers/http_request.hpp"

namespace watcher {

probes::HttpRequest request_of(const rules::HttpStep& step, rules::Duration limit) {
  probes::HttpRequest request;
  request.method = step.method;
  request.url = step.url.value;
  for (const auto& [name, text] : step.headers) request.headers.emplace_back(name, text.value);
  if (!step.content_type.empty()) request.headers.emplace_back("Content-Type", step.content_type);
  request.body = step.body.value;
  request.limit = limit;
  return request;
}

}  // namespace watcher
