#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace watcher {

// Columns as wide as their widest cell, two blanks apart; the last one is not padded.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  void add(std::vector<std::string> row);
  bool empty() const { return rows_.size() == 1; }
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// A revision as people tell them apart: the first 12 characters of a hash, "-" when there is none.
std::string short_revision(const std::string& revision);
// "shop:v2 (ce4e63c4e0c9)", where people have a name for it.
std::string labelled_revision(const std::string& revision, const std::string& label);

// Seconds as people read them: 0.21s, 45s, 5m, 1h3m.
std::string short_duration(double seconds);

}  // namespace watcher
