#include <algorithm>

#include "rules/signals/instance.hpp"

namespace rules {

bool Series::observe(PageNumber page, double value) {
  if (present(page)) return true;  // a page that has a series twice: the first counts
  bool fell = false;
  if (is_counter_) {
    const std::optional<double> known = last_known();
    fell = known && value < *known;
    const bool vanished = seen_ && last_seen_ + 1 < page && !samples_.empty();
    if (vanished) samples_.push_back({last_seen_ + 1, true, 0});
    const bool unchanged = !samples_.empty() && !samples_.back().absent && samples_.back().value == value;
    if (!unchanged) samples_.push_back({page, false, value});
  }
  newest_ = value;
  last_seen_ = page;
  seen_ = true;
  return !fell;
}

void Series::forget_before(PageNumber page) {
  const std::size_t after = index_at(page);
  if (after < 2) return;
  // What is absent at the edge still tells, with the sample before it, that the series is older than the window.
  const std::size_t kept = samples_[after - 1].absent ? after - 2 : after - 1;
  for (std::size_t i = 0; i < kept; ++i) samples_.pop_front();
}

void Series::forget() {
  samples_.clear();
  seen_ = false;
}

void Series::use_as(bool counter) {
  is_counter_ = counter;
  if (!counter) samples_.clear();
}

std::size_t Series::bytes() const {
  return sizeof(Series) + key_bytes_ + samples_.bytes() + counter_of.capacity() * sizeof(std::size_t);
}

std::size_t Series::index_at(PageNumber page) const {
  const auto after = std::partition_point(samples_.begin(), samples_.end(),
                                          [page](const Sample& sample) { return sample.page <= page; });
  return static_cast<std::size_t>(after - samples_.begin());
}

std::optional<double> Series::at(PageNumber page) const {
  if (!seen_ || page > last_seen_) return std::nullopt;
  const std::size_t index = index_at(page);
  if (index == 0 || samples_[index - 1].absent) return std::nullopt;
  return samples_[index - 1].value;
}

std::optional<double> Series::at_or_before(PageNumber page, PageNumber floor) const {
  if (const auto there = at(page)) return there;
  std::size_t index = index_at(page);
  PageNumber seen_until = last_seen_;
  if (index > 0 && samples_[index - 1].absent) {
    seen_until = samples_[index - 1].page - 1;
    --index;
  }
  if (index == 0 || seen_until < floor) return std::nullopt;
  return samples_[index - 1].value;
}

std::optional<double> Series::last_known() const {
  for (std::size_t i = samples_.size(); i > 0; --i) {
    if (!samples_[i - 1].absent) return samples_[i - 1].value;
  }
  return std::nullopt;
}

}  // namespace rules
