#include "probes/memory_budget.hpp"

#include <algorithm>
#include <limits>

namespace probes {

namespace {

std::string mebibytes(std::size_t bytes) {
  constexpr std::size_t whole = 1024 * 1024;
  const std::size_t tenths = (bytes * 10 + whole / 2) / whole;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MiB";
}

std::size_t beyond(std::size_t whole, std::size_t part) { return whole > part ? whole - part : 0; }

}  // namespace

MemoryBudget::Account::Account(MemoryBudget* budget, const rules::ProbeName& probe, std::size_t instance)
    : budget_(budget) {
  if (budget_ == nullptr) return;
  place_ = budget_->targets_.try_emplace(Key(probe, instance)).first;
  ++target().accounts;
}

MemoryBudget::Account::~Account() {
  if (budget_ == nullptr) return;
  hold(0);
  if (--target().accounts > 0) return;
  budget_->held_ -= target().windows;
  budget_->targets_.erase(place_);
}

bool MemoryBudget::Account::hold(std::size_t bytes) {
  if (budget_ == nullptr) return true;
  budget_->held_ = budget_->held_ - held_ + bytes;
  target().asking = target().asking - held_ + bytes;
  held_ = bytes;
  return budget_->fits(target());
}

bool MemoryBudget::Account::is_put_off() {
  if (budget_ == nullptr) return false;
  if (target().put_off > 0) {
    --target().put_off;
    return true;
  }
  constexpr std::size_t forgiven_after = 256;  // polls; windows that fill up slowly need that long
  if (++target().well == forgiven_after) target().last_put_off = 0;
  return false;
}

void MemoryBudget::Account::put_off() {
  constexpr std::size_t polls_max = 64;
  if (budget_ == nullptr) return;
  target().last_put_off = std::min(2 * target().last_put_off + 1, polls_max);
  target().put_off = target().last_put_off;
  target().well = 0;
}

std::size_t MemoryBudget::Account::room() const {
  if (budget_ == nullptr) return std::numeric_limits<std::size_t>::max();
  return std::max(beyond(budget_->share(), target().held()), beyond(budget_->bytes_, budget_->held_));
}

std::string MemoryBudget::Account::refusal() const {
  if (budget_ == nullptr) return "too much is kept";
  return "it would keep " + mebibytes(target().held()) + ", " + mebibytes(target().windows) +
         " of it in windows, and all " + std::to_string(budget_->targets_.size()) + " targets together " +
         mebibytes(budget_->held_) + " of the " + mebibytes(budget_->bytes_) +
         " of watcher.memory; let signals select fewer series, shorten their windows, or raise watcher.memory";
}

void MemoryBudget::kept_in_windows(const rules::ProbeName& probe, std::size_t instance, std::size_t bytes) {
  const auto found = targets_.find(std::tie(probe, instance));
  if (found == targets_.end()) return;
  held_ = held_ - found->second.windows + bytes;
  found->second.windows = bytes;
}

}  // namespace probes
