#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watcher/drivers/driver.hpp"

namespace watcher {

// A revision that was seen to run, as people know it: Kubernetes keeps its template, not its images' digests.
struct KubernetesSeen {
  std::string revision;
  std::vector<std::string> images;  // as the template names them
  friend bool operator==(const KubernetesSeen&, const KubernetesSeen&) = default;
};

struct KubernetesNotes {
  std::vector<KubernetesSeen> seen;    // the newest last
  std::vector<std::string> aftermath;  // of the last switch, lines for people
  std::string from;                    // of a switch of ours that is at work, or was when we ended; empty: none is
  std::string to;
};

std::string to_json(const KubernetesNotes& notes);
// nullopt: the text is none.
std::optional<KubernetesNotes> parse_kubernetes_notes(std::string_view text);

// Puts it last; the oldest are forgotten. True when that changed something.
bool note_seen(KubernetesNotes& notes, KubernetesSeen seen);
// What of the revisions a name means: their own, the beginning of it, an image or its tag.
NameMeans revisions_named(const KubernetesNotes& notes, const std::string& name);
// The images that differ, a line each, at most `most` and what is left out; none where nobody knows.
std::vector<std::string> images_between(const KubernetesNotes& notes, const std::string& from, const std::string& to,
                                        std::size_t most);

// Reads and writes STATE_DIR/kubernetes/SERVICE.json. What is lost of it costs names alone.
class KubernetesNotesFile {
 public:
  KubernetesNotesFile(const std::string& state_dir, const std::string& service);

  KubernetesNotes read() const;
  // Durable when it returns nullopt; otherwise what went wrong, for people.
  std::optional<std::string> write(const KubernetesNotes& notes) const;

 private:
  std::string path_;
};

}  // namespace watcher
