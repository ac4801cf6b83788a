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

Instant place_within(std::uint64_t hash, Instant now, Duration length) {
  const auto pick = [hash](Duration::rep count) {
    return count > 0 ? static_cast<Duration::rep>(hash % static_cast<std::uint64_t>(count)) : 0;
  };
  constexpr Duration::rep places_max = 20;
  const Duration place = std::max(place_length, length / places_max / place_length * place_length);
  const Duration::rep places = length / place;
  if (places < 2) return now + Duration(pick(length.count()));
  const Instant next = now + (place - now.time_since_epoch() % place);
  return next + pick(places) * place;
}

}  // namespace probes
