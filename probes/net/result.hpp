#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace probes {

namespace asio = boost::asio;

// The one completion token: errors come back as values. A throwing token would lose the difference between a fault of
// the target and the end of the program.
inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace probes
