#include "watcher/drivers/notes_file.hpp"

#include <filesystem>

#include "watcher/journal/files.hpp"

namespace watcher {

std::optional<std::string> write_notes(const std::string& path, std::string_view content) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::optional<JournalFault> fault = make_folder(folder.string(), private_folder);
  if (!fault) fault = sync_folder(folder.parent_path().string());
  if (!fault) fault = write_whole(path, content, private_file);
  if (!fault) return std::nullopt;
  return fault->what;
}

}  // namespace watcher
