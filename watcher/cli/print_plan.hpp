#pragma once

#include <boost/json/value.hpp>
#include <iosfwd>

namespace watcher {

// What a rollback by hand would do (`rollback --plan`), for people.
void print_plan(std::ostream& out, const boost::json::value& plan);
// It goes to a revision that ran with another schema, and does not undo that.
bool crosses_schema(const boost::json::value& plan);
bool loses_data(const boost::json::value& plan);

}  // namespace watcher
