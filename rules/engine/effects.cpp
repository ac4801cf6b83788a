#include "rules/engine/effects.hpp"

#include <cassert>

namespace rules {

void Effects::go_to(Instant now) {
  assert(now >= now_);
  now_ = now;
}

void Effects::note(std::string event, std::vector<std::pair<std::string, std::string>> fields) {
  emit(Note{std::move(event), std::move(fields)});
}

void Effects::tell_fault(std::string title, std::string text, const ServiceName& service, Severity severity,
                         Lasting lasting) {
  Tell tell;
  tell.stage = Stage::fault;
  tell.context.severity = severity;
  tell.context.service = service;
  tell.title = std::move(title);
  tell.text = std::move(text);
  tell.at = now_;
  tell.lasting = std::move(lasting);
  emit(std::move(tell));
}

}  // namespace rules
