#include "probes/places.hpp"

#include <algorithm>
#include <string>

namespace probes {

using rules::Duration;
using rules::Instant;

// FNV-1a, unlike std::hash the same everywhere.
std::uint64_t place_hash(std::string_view probe, std::size_t instance) {
  constexpr std::uint64_t prime = 1099511628211ULL;
  std::uint64_t hash = 14695981039346656037ULL;
  const std::string whole = std::string(probe) + '/' + std::to_string(instance);
  for (const char c : whole) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  // The last characters hardly reach the upper bits; mix, because names differ in the last ones.
  hash ^= hash >> 32;
  hash *= 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 29);
}

std::int64_t places_for(std::size_t targets) {
  constexpr std::int64_t share = 25;  // polls
  constexpr std::int64_t least = 4;
  constexpr std::int64_t most = 20;
  return std::clamp(static_cast<std::int64_t>(targets) / share, least, most);
}

Instant place_within(std::uint64_t hash, Instant now, Duration length, std::int64_t places_max) {
  const auto pick = [hash](Duration::rep count) {
    return count > 0 ? static_cast<Duration::rep>(hash % static_cast<std::uint64_t>(count)) : 0;
  };
  const Duration place = std::max(place_length, length / places_max / place_length * place_length);
  const Duration::rep places = length / place;
  if (places < 2) return now + Duration(pick(length.count()));
  return now + until_next(now, place) + pick(places) * place;
}

Duration until_next(Instant now, Duration step) { return step - now.time_since_epoch() % step; }

Duration page_aside(Duration interval) {
  return interval < 2 * place_length ? Duration::zero() : Duration(place_length / 2);
}

}  // namespace probes
