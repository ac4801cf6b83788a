#include "probes/parse/json.hpp"

#include <array>
#include <boost/json/memory_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parser.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <new>
#include <utility>

namespace probes {

namespace json = boost::json;

namespace {

json::parse_options limited() {
  json::parse_options options;
  options.max_depth = json_depth_max;
  return options;
}

// Memory that ends after so many bytes.
class Room final : public json::memory_resource {
 public:
  explicit Room(std::size_t left) : left_(left) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t) override {
    if (bytes > left_) throw std::bad_alloc();
    void* const memory = ::operator new(bytes);
    left_ -= bytes;
    return memory;
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t) override {
    ::operator delete(memory);
    left_ += bytes;
  }
  bool do_is_equal(const json::memory_resource& other) const noexcept override { return this == &other; }

  std::size_t left_;
};

// As people write it: Boost writes 3.5 as 3.5E0.
std::string shortest(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), end.ptr};
}

bool equal(const json::value& a, const json::value& b);

bool equal_arrays(const json::array& a, const json::array& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(a[i], b[i])) return false;
  }
  return true;
}

bool equal_objects(const json::object& a, const json::object& b) {
  if (a.size() != b.size()) return false;
  for (const json::key_value_pair& member : a) {
    const json::value* const other = b.if_contains(member.key());
    if (other == nullptr || !equal(member.value(), *other)) return false;
  }
  return true;
}

// Boost's own comparison tells 1 from 1.0.
bool equal(const json::value& a, const json::value& b) {
  if (a.is_array() && b.is_array()) return equal_arrays(a.get_array(), b.get_array());
  if (a.is_object() && b.is_object()) return equal_objects(a.get_object(), b.get_object());
  if (a.is_double() != b.is_double() && a.is_number() && b.is_number()) {
    return a.to_number<double>() == b.to_number<double>();
  }
  return a == b;
}

}  // namespace

struct JsonBody::Value {
  explicit Value(std::size_t bytes) : room(bytes), root(json::storage_ptr(&room)) {}

  // Text becomes values in here, too.
  json::error_code read(std::string_view text) {
    json::error_code error;
    const json::storage_ptr memory(&room);
    json::parser parser(memory, limited());
    parser.reset(memory);
    parser.write(text.data(), text.size(), error);
    if (!error) root = parser.release();
    return error;
  }

  Room room;
  json::value root;

  const json::value* at(std::string_view pointer) const {
    json::error_code error;
    return root.find_pointer(pointer, error);
  }
};

JsonBody::JsonBody(std::unique_ptr<Value> value) : value_(std::move(value)) {}
JsonBody::~JsonBody() = default;
JsonBody::JsonBody(JsonBody&&) noexcept = default;
JsonBody& JsonBody::operator=(JsonBody&&) noexcept = default;

std::variant<JsonBody, rules::Fault> JsonBody::parse(std::string_view text, std::size_t room) try {
  auto value = std::make_unique<Value>(room);
  const json::error_code error = value->read(text);
  if (error) return rules::Fault{rules::FaultKind::parse, "the body is not JSON: " + error.message()};
  return JsonBody(std::move(value));
} catch (const std::bad_alloc&) {
  return rules::Fault{rules::FaultKind::no_memory,
                      "the values of the body take more memory than there is for them; "
                      "ask for less, or raise watcher.memory"};
}

std::optional<double> JsonBody::number(std::string_view pointer) const {
  const json::value* const found = value_->at(pointer);
  if (found == nullptr) return std::nullopt;
  if (found->is_bool()) return found->get_bool() ? 1.0 : 0.0;
  if (!found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

std::optional<std::string> JsonBody::text(std::string_view pointer) const {
  const json::value* const found = value_->at(pointer);
  if (found == nullptr) return std::nullopt;
  if (found->is_string()) return std::string(found->get_string());
  if (found->is_null()) return std::nullopt;
  if (found->is_double()) return shortest(found->get_double());
  return json::serialize(*found);
}

bool JsonBody::equals(std::string_view pointer, std::string_view json_text) const {
  const json::value* const found = value_->at(pointer);
  if (found == nullptr) return false;
  json::error_code error;
  const json::value expected = json::parse(json_text, error, {}, limited());
  return !error && equal(*found, expected);
}

bool is_json_pointer(std::string_view text) {
  if (!text.empty() && text.front() != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  }
  return true;
}

bool is_json(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error, {}, limited());
  return !error;
}

}  // namespace probes
