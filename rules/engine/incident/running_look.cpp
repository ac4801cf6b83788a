#include "rules/engine/incident/running_look.hpp"

namespace rules {

namespace {

constexpr Duration answer_limit = std::chrono::seconds(30);

}  // namespace

void RunningLook::ask(const ServiceName& service, Effects& effects) {
  asked_ = effects.now();
  read_.reset();
  effects.emit(ReadRevision{service});
}

void RunningLook::saw(const RevisionRead& read) {
  if (asked_ && !read_ && read.started >= *asked_) read_ = read;
}

void RunningLook::forget() {
  asked_.reset();
  read_.reset();
  doubted_ = false;
}

void RunningLook::start_over() {
  asked_.reset();
  doubted_ = false;
  failed_ = 0;
}

bool RunningLook::is_over(Instant now) const { return read_ || (asked_ && now >= *asked_ + answer_limit); }

void RunningLook::add_deadlines(std::vector<Instant>& out) const {
  if (asked_ && !read_) out.push_back(*asked_ + answer_limit);
}

}  // namespace rules
