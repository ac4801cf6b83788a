#include "watcher/cli/markdown_text.hpp"

#include <md4c.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace watcher {

namespace {

constexpr unsigned dialect =
    MD_FLAG_TABLES | MD_FLAG_NOHTML | MD_FLAG_NOINDENTEDCODEBLOCKS | MD_FLAG_PERMISSIVEURLAUTOLINKS;

constexpr std::size_t indent = 3;  // of what stands in an item: its sign is "1. "

// Letters, not bytes.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

struct Cell {
  std::string text;
  bool to_the_right = false;
};
using Row = std::vector<Cell>;

std::string padded(const Cell& cell, std::size_t width) {
  const std::string blanks(width - std::min(width, width_of(cell.text)), ' ');
  constexpr std::size_t number_max = 20;  // letters: below a sentence a number would be lost at its end
  return cell.to_the_right && width <= number_max ? blanks + cell.text : cell.text + blanks;
}

// Columns as wide as their widest cell, two blanks apart.
std::string table_text(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i].text));
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += (i == 0 ? "" : "  ") + padded(row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

// Is told of each block and each piece of text in their order.
class Writer {
 public:
  void enter(MD_BLOCKTYPE type, const void* detail) {
    switch (type) {
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        lists_.push_back(type == MD_BLOCK_UL ? -1
                                             : static_cast<int>(static_cast<const MD_BLOCK_OL_DETAIL*>(detail)->start));
        return;
      case MD_BLOCK_LI:
        return begin_item();
      case MD_BLOCK_TABLE:
        rows_.clear();
        return;
      case MD_BLOCK_TR:
        rows_.emplace_back();
        return;
      default:
        text_.clear();
    }
  }

  void leave(MD_BLOCKTYPE type, const void* detail) {
    switch (type) {
      case MD_BLOCK_H:
        return heading(static_cast<const MD_BLOCK_H_DETAIL*>(detail)->level);
      case MD_BLOCK_P:
        return lines(text_, "", !lists_.empty());
      case MD_BLOCK_CODE:
        return lines(text_, "  ", false);
      case MD_BLOCK_HR:
        return lines("---", "", false);
      case MD_BLOCK_LI:
        return end_item();
      case MD_BLOCK_UL:
      case MD_BLOCK_OL:
        lists_.pop_back();
        return blank();
      case MD_BLOCK_TH:
      case MD_BLOCK_TD:
        rows_.back().push_back({text_, static_cast<const MD_BLOCK_TD_DETAIL*>(detail)->align == MD_ALIGN_RIGHT});
        return text_.clear();
      case MD_BLOCK_TABLE:
        return lines(table_text(rows_), "", false);
      default:
        return;
    }
  }

  void piece(MD_TEXTTYPE type, std::string_view bytes) {
    const bool is_break = type == MD_TEXT_BR || type == MD_TEXT_SOFTBR;
    text_ += is_break ? std::string_view("\n") : bytes;
  }

  std::string take() && { return std::move(out_); }

 private:
  void begin_item() {
    text_.clear();
    const int number = lists_.back();
    item_ = number < 0 ? "- " : std::to_string(lists_.back()++) + ". ";
  }

  // An item of one line has no paragraph around it.
  void end_item() {
    if (!text_.empty() || !item_.empty()) lines(text_, "", true);
    text_.clear();
  }

  void heading(unsigned level) {
    const char under = level == 1 ? '=' : '-';
    lines(text_ + (level > 2 ? "" : "\n" + std::string(width_of(text_), under)), "", false);
  }

  void blank() {
    if (!out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
  }

  // The first line of an item has its sign.
  std::string before_line(const std::string& inside) {
    if (item_.empty()) return inside;
    std::string out = inside.substr(0, inside.size() - indent) + std::exchange(item_, {});
    return out + std::string(inside.size() - std::min(inside.size(), out.size()), ' ');
  }

  // In lists behind the item's sign. `is_dense`: what follows comes without a line between.
  void lines(std::string_view text, const std::string& more, bool is_dense) {
    const std::string inside(lists_.size() * indent, ' ');
    while (text.ends_with('\n')) text.remove_suffix(1);
    do {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string line = before_line(inside) + more + std::string(text.substr(0, end));
      line.erase(line.find_last_not_of(' ') + 1);
      out_ += line + "\n";
      text.remove_prefix(std::min(end + 1, text.size()));
    } while (!text.empty());
    text_.clear();
    if (!is_dense) blank();
  }

  std::string out_;
  std::string text_;
  std::string item_;        // the sign of an item that has no line yet
  std::vector<int> lists_;  // the numbers of the next items, -1: they have none
  std::vector<Row> rows_;
};

Writer& writer(void* user) { return *static_cast<Writer*>(user); }

}  // namespace

std::string markdown_text_for_terminal(const std::string& markdown) {
  Writer out;
  MD_PARSER parser{};
  parser.flags = dialect;
  parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* user) { return writer(user).enter(type, detail), 0; };
  parser.leave_block = [](MD_BLOCKTYPE type, void* detail, void* user) { return writer(user).leave(type, detail), 0; };
  parser.enter_span = [](MD_SPANTYPE, void*, void*) { return 0; };
  parser.leave_span = [](MD_SPANTYPE, void*, void*) { return 0; };
  parser.text = [](MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* user) {
    return writer(user).piece(type, {text, size}), 0;
  };
  md_parse(markdown.data(), static_cast<MD_SIZE>(markdown.size()), &parser, &out);
  return std::move(out).take();
}

}  // namespace watcher
