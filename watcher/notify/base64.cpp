#include "watcher/notify/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace watcher {

namespace {

constexpr std::size_t bytes_of_group = 3;
constexpr std::size_t letters_of_group = 4;

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + bytes_of_group - 1) / bytes_of_group * letters_of_group + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(std::max(length, 0)));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out(text.size() / letters_of_group * bytes_of_group, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (length < 0 || text.empty()) return std::nullopt;
  // It decodes padding to zeros.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<std::size_t>(length) - padding);
  return out;
}

}  // namespace watcher
