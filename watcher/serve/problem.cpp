#include "watcher/serve/problem.hpp"

#include <boost/json/object.hpp>

#include "watcher/serve/json_text.hpp"

namespace watcher {

namespace {

const char* title_of(unsigned status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 422:
      return "Unprocessable Content";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

}  // namespace

ApiReply problem(unsigned status, const std::string& detail) {
  json::object object;
  object["type"] = "about:blank";
  object["title"] = title_of(status);
  object["status"] = status;
  object["detail"] = detail;
  ApiReply reply;
  reply.status = status;
  reply.content_type = "application/problem+json";
  reply.body = to_text(object);
  return reply;
}

}  // namespace watcher
