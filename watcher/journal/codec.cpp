#include "watcher/journal/codec.hpp"

#include "watcher/journal/described.hpp"
#include "watcher/journal/fields.hpp"

namespace watcher {

template <class T>
std::string encode(const T& record) {
  return described::text_of(record);
}

template <class T>
std::optional<T> decode(std::string_view text) {
  return described::record_in<T>(text);
}

template <class Enum>
std::string enumerator_name(Enum value) {
  return boost::describe::enum_to_string(value, "");
}

template std::string encode(const rules::LedgerRecord&);
template std::string encode(const rules::ServiceRecord&);
template std::string encode(const rules::FuseRecord&);
template std::string encode(const rules::IncidentRecord&);
template std::string encode(const rules::StepRecord&);
template std::string encode(const rules::SpanRecord&);
template std::string encode(const rules::Tell&);
template std::optional<rules::LedgerRecord> decode(std::string_view);
template std::optional<rules::ServiceRecord> decode(std::string_view);
template std::optional<rules::FuseRecord> decode(std::string_view);
template std::optional<rules::IncidentRecord> decode(std::string_view);
template std::optional<rules::StepRecord> decode(std::string_view);
template std::optional<rules::SpanRecord> decode(std::string_view);
template std::optional<rules::Tell> decode(std::string_view);
template std::string enumerator_name(rules::Standing);
template std::string enumerator_name(rules::FuseUse);
template std::string enumerator_name(rules::Cause);
template std::string enumerator_name(rules::IncidentPhase);
template std::string enumerator_name(rules::Outcome);
template std::string enumerator_name(rules::Verdict);
template std::string enumerator_name(rules::PlanSection);
template std::string enumerator_name(rules::Severity);
template std::string enumerator_name(rules::Stage);
template std::string enumerator_name(rules::StepStatus);
template std::string enumerator_name(rules::LaterEnd);

}  // namespace watcher
