# What nearly every source of a layer includes, read once for all of them: clang without optimisation takes a third less
# time. A source that forgets one of these includes compiles with it all the same, so the other compiler builds without.
option(ROLLBACKD_PRECOMPILED "precompile the headers that most sources include" OFF)
function(precompile)
  if(NOT ROLLBACKD_PRECOMPILED)
    return()
  endif()
  set(standard <algorithm> <chrono> <cstdint> <functional> <map> <memory> <optional> <set> <string> <string_view>
               <variant> <vector>)
  foreach(target rules rules_tests world_tests probes probes_tests watcher watcher_tests)
    if(NOT TARGET ${target})
      continue()
    endif()
    target_precompile_headers(${target} PRIVATE ${standard})
    if(target MATCHES "_tests$" AND NOT target STREQUAL "world_tests")
      target_precompile_headers(${target} PRIVATE <doctest/doctest.h>)
    endif()
    if(target MATCHES "^(probes|watcher)")  # rules/ is pure
      target_precompile_headers(${target} PRIVATE <boost/asio/as_tuple.hpp> <boost/asio/awaitable.hpp>
        <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp> <boost/asio/steady_timer.hpp>
        <boost/asio/use_awaitable.hpp> <boost/json.hpp>)
    endif()
  endforeach()
endfunction()
