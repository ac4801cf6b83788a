#pragma once

#include <ostream>
#include <streambuf>
#include <string>

namespace watcher {

// The one door from the commands to a terminal: what is written to it comes out visible (report/visible.hpp).
class VisibleStream : public std::ostream {
 public:
  explicit VisibleStream(std::ostream& to);  // which must outlive it
  ~VisibleStream() override;

 private:
  class Buffer : public std::streambuf {
   public:
    explicit Buffer(std::ostream& to) : to_(to) {}
    void pass(bool whole);

   protected:
    int_type overflow(int_type c) override;
    std::streamsize xsputn(const char* text, std::streamsize size) override;
    int sync() override;

   private:
    std::ostream& to_;
    std::string held_;
  };

  Buffer buffer_;
};

}  // namespace watcher
