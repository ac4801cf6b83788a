#include "probes/net/reply_parser.hpp"

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <locale>

#include "probes/net/inflate.hpp"

namespace probes {

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;
using rules::Fault;
using rules::FaultKind;

constexpr unsigned status_ok = 200;
constexpr int interim_max =
    32;  // a server that is slow says 102 now and then; one that says nothing else keeps us busy

bool is_interim(unsigned status) { return status >= 100 && status < 200; }

Fault fault_of(const error_code& error, std::int64_t body_max) {
  if (error == http::error::body_limit) {
    return {FaultKind::too_large, "the body is larger than " + std::to_string(body_max) + " bytes; raise body_max"};
  }
  if (error == http::error::header_limit) {
    return {FaultKind::too_large, "the header is larger than " + std::to_string(header_max) + " bytes"};
  }
  return {FaultKind::parse, "the answer is not HTTP (" + error.message() + "); is it the right port and scheme?"};
}

}  // namespace

class ReplyParser::Parser final : public http::basic_parser<false> {
 public:
  Parser(const HttpRequest& request, const BodySink* sink)
      : sink_(sink), account_(request.account), body_max_(request.body_max), keeps_fields_(request.keeps_fields) {
    eager(true);
    skip(request.method == "HEAD");
    header_limit(static_cast<std::uint32_t>(header_max));
    body_limit(static_cast<std::uint64_t>(body_max_));
  }

  HttpReply& reply() { return reply_; }
  bool stopped() const { return stopped_; }

 private:
  std::size_t take(string_view piece, error_code& error) {
    const std::string_view bytes(piece.data(), piece.size());
    if (inflater_)
      stopped_ = !inflater_->push(bytes, [this](std::string_view inflated) { return keep(inflated); });
    else if (!reply_.body_fault)
      stopped_ = !keep(bytes);
    if (stopped_) {
      if (inflater_) note_inflated();
      error = boost::system::errc::make_error_code(boost::system::errc::operation_canceled);
    }
    return piece.size();
  }

  bool keep(std::string_view bytes) {
    if (sink_ != nullptr && reply_.status == status_ok) return (*sink_)(bytes);
    reply_.body.append(bytes);
    if (account_ == nullptr || account_->hold(reply_.body.capacity())) return true;
    reply_.body_fault = Fault{FaultKind::no_memory, account_->refusal()};
    reply_.body = {};
    account_->hold(0);
    return false;
  }

  void note_inflated() {
    if (inflater_->fault()) reply_.body_fault = inflater_->fault();
  }

  void begin_body() {
    if (coding_.empty() || coding_ == "identity") return;
    if (coding_ == "gzip" || coding_ == "x-gzip" || coding_ == "deflate") {
      inflater_.emplace(body_max_);
      return;
    }
    reply_.body_fault = Fault{FaultKind::parse, "content encoding \"" + shown(coding_) +
                                                    "\" was not asked for; let the server send this page as it is"};
  }

  // For people: it came from outside.
  static std::string shown(const std::string& coding) {
    constexpr std::size_t shown_max = 40;  // bytes
    std::string out;
    for (const char c : coding.substr(0, shown_max)) out += c >= ' ' && c <= '~' && c != '"' ? c : '?';
    return out;
  }

  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int code, string_view, int, error_code&) override {
    reply_.status = static_cast<unsigned>(code);
  }
  void on_field_impl(http::field name, string_view written, string_view value, error_code&) override {
    if (keeps_fields_)
      reply_.fields.emplace_back(std::string(written.data(), written.size()), std::string(value.data(), value.size()));
    if (name == http::field::content_type) reply_.content_type.assign(value.data(), value.size());
    if (name == http::field::content_encoding)
      coding_ += (coding_.empty() ? "" : ", ") + boost::to_lower_copy(std::string(value), std::locale::classic());
    if (name == http::field::location) reply_.location.assign(value.data(), value.size());
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override { begin_body(); }
  std::size_t on_body_impl(string_view piece, error_code& error) override { return take(piece, error); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code& error) override {
    return take(piece, error);
  }
  void on_finish_impl(error_code&) override {
    if (!inflater_) return;
    inflater_->finish();
    note_inflated();
  }

  const BodySink* sink_;
  MemoryBudget::Account* account_;
  std::int64_t body_max_;
  bool keeps_fields_;
  std::string coding_;
  std::optional<Inflater> inflater_;
  HttpReply reply_;
  bool stopped_ = false;
};

ReplyParser::ReplyParser(const HttpRequest& request, const BodySink* sink) : request_(request), sink_(sink) { begin(); }

ReplyParser::~ReplyParser() = default;

void ReplyParser::begin() { parser_ = std::make_unique<Parser>(request_, sink_); }

std::size_t ReplyParser::push(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !done() && !fault_) {
    error_code error;
    const std::size_t count = parser_->put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += count;
    if (error == http::error::need_more) break;
    if (error && !parser_->stopped()) fault_ = fault_of(error, request_.body_max);
    if (parser_->is_done() && is_interim(parser_->reply().status))
      pass_over_interim();
    else if (count == 0)
      break;
  }
  return used;
}

void ReplyParser::pass_over_interim() {
  if (++interim_ > interim_max)
    fault_ = Fault{FaultKind::parse, "more than " + std::to_string(interim_max) + " interim answers (1xx) before one"};
  else
    begin();
}

bool ReplyParser::end(BodyEnd by) {
  error_code error;
  if (parser_->is_header_done() && parser_->need_eof()) parser_->reply().body_end = by;
  if (parser_->got_some()) parser_->put_eof(error);
  return !error && parser_->is_done();
}

bool ReplyParser::done() const { return parser_->is_done() || parser_->stopped(); }

std::uint64_t ReplyParser::missing() const {
  return parser_->is_header_done() ? parser_->content_length_remaining().value_or(0) : 0;
}

bool ReplyParser::keep_alive() const { return parser_->is_done() && !parser_->stopped() && parser_->keep_alive(); }

const std::optional<Fault>& ReplyParser::fault() const { return fault_; }

HttpReply ReplyParser::take() { return std::move(parser_->reply()); }

}  // namespace probes
