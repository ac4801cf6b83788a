#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/names.hpp"

namespace watcher {

// Of one service of the project, in a revision.
struct ComposeImage {
  std::string image;                 // id
  std::string name;                  // as the configuration had it; empty: not known
  std::vector<std::string> digests;  // NAME@sha256:..., under which a registry has it; none: no registry does
  std::string tag;                   // of ours, that keeps it from being pruned; empty: it has none
  std::string settings;              // digest of all else that its containers were made with
};

// What was put away of the user's files.
struct ComposePutAway {
  std::string file;  // the user's
  std::string copy;  // where what it had lies now
};

// One revision that ran.
struct ComposeRecord {
  rules::Revision revision;
  std::int64_t last_seen = 0;                  // seconds since 1970
  std::map<std::string, ComposeImage> images;  // by service
  std::string configuration;                   // all of the project, as `compose config` writes it; empty: not known
  std::map<std::string, std::string> kept;     // the kept files' content, by name below the project's folder
};

// What the compose driver remembers of one service.
struct ComposeRecords {
  std::vector<ComposeRecord> records;
  std::vector<std::string> aftermath;  // of the last switch, a line each

  const ComposeRecord* find(const rules::Revision& revision) const;
  ComposeRecord* find(const rules::Revision& revision);
  // The project's configuration in that revision: its own, or one that made containers with the same settings from
  // other images. Empty: nobody knows it.
  std::string configuration_of(const rules::Revision& revision) const;
};

inline constexpr std::size_t compose_records_max = 10;

// Drops the oldest beyond the most that are kept, never one of `needed`, and returns them.
std::vector<ComposeRecord> drop_oldest(ComposeRecords& records, const std::set<rules::Revision>& needed);

std::string to_json(const ComposeRecords& records);
// nullopt: the text is none.
std::optional<ComposeRecords> parse_compose_records(std::string_view text);

// Reads and writes STATE_DIR/compose/SERVICE.json, and files beside it. Configurations have secrets in them: all is
// 0600.
class ComposeFile {
 public:
  ComposeFile(const std::string& state_dir, const std::string& service);

  // Empty ones when there is no file; nullopt when there is one that cannot be understood.
  std::optional<ComposeRecords> read() const;
  // Durable when it returns nullopt; otherwise what went wrong, for people.
  std::optional<std::string> write(const ComposeRecords& records) const;
  // A file of that name beside it; the same.
  std::optional<std::string> write_beside(const std::string& name, std::string_view content) const;
  std::string beside(const std::string& name) const { return folder_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string folder_;
  std::string path_;
};

}  // namespace watcher
