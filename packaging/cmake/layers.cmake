# A layer is a top folder whose headers are visible only to those that link it: the source root is on
# nobody's include path, so #include "probes/x.hpp" does not compile in rules/.
function(layer name)
  set(tree ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${tree})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${name} ${tree}/${name} SYMBOLIC)
  target_include_directories(${name} PUBLIC ${tree})
endfunction()

# rules/ is pure: headers for I/O are shadowed by an #error. Those that the standard library or RE2 include
# themselves cannot be; the test over the sources looks for them in ours.
function(pure name)
  foreach(header boost/asio.hpp boost/json.hpp future fstream iostream filesystem fcntl.h sys/socket.h sys/stat.h
          spdlog/spdlog.h fmt/format.h sqlite3.h curl/curl.h)
    file(WRITE ${CMAKE_BINARY_DIR}/pure/${header} "#error \"rules/ is pure: <${header}> is not for it\"\n")
  endforeach()
  target_include_directories(${name} BEFORE PRIVATE ${CMAKE_BINARY_DIR}/pure)
endfunction()
