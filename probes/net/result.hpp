#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace probes {

namespace asio = boost::asio;

// The one completion token: errors come back as values. A throwing token would lose the difference between a fault of
// the target and the end of the program.
inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// The same for where it counts: the operation lives in the awaiting coroutine's frame and needs none of its own.
inline constexpr auto in_this_frame = asio::as_tuple(asio::deferred);

}  // namespace probes
