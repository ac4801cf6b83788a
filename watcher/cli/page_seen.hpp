#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rules/base/series.hpp"
#include "rules/signals/signal_spec.hpp"

namespace watcher {

// What a probe's targets answered: the series of all its instances.
using Page = std::vector<const rules::Reading*>;

bool has_series(const Page& page, const rules::Selector& selector);
// The highest finite bound of the histogram's buckets; none when there is no bucket.
std::optional<double> highest_bound(const Page& page, const rules::QuantileOf& of);

// The names of the page's families that a selector of names by a pattern finds; empty: they are not several. Of several
// candidates such a one is not taken.
std::string several_families(const Page& page, const rules::Selector& selector);

std::vector<rules::CandidateSeen> seen_of(const Page& page, const std::vector<rules::RatioOf>& candidates);
std::vector<rules::CandidateSeen> seen_of(const Page& page, const std::vector<rules::QuantileOf>& candidates);

// Why the one that was taken was preferred to another that is in the page, for people.
std::string why_not(const rules::CandidateSeen& taken, const rules::CandidateSeen& other);

// What of the failures a library counts elsewhere, for people; empty: nothing that is known of.
std::string counted_elsewhere(const rules::Selector& counts);

// A family of which the page has how many observations there were, but neither buckets nor quantiles.
const rules::QuantileOf* only_counted(const Page& page, const std::vector<rules::QuantileOf>& candidates);

// What is to be known of a summary's quantiles; empty for a histogram, and for one summary that has the one asked for.
std::string about_summaries(const Page& page, const rules::QuantileOf& of);

}  // namespace watcher
