# The rules of the house, as CMake sees them: a folder below src/ is a library, it links
# only folders that stand before it, and its tests, benchmarks and fuzz targets sit beside
# the code (<thing>_test.cpp, <thing>_bench.cpp, <thing>_fuzz.cpp).

add_library(bp_options INTERFACE)
target_include_directories(bp_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(bp_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                            -Wno-missing-field-initializers)
target_compile_definitions(bp_options INTERFACE BACKPLANE_VERSION="${PROJECT_VERSION}")
target_link_options(bp_options INTERFACE -Wl,--as-needed)
if(BACKPLANE_WERROR)
  target_compile_options(bp_options INTERFACE -Werror)
endif()
if(BACKPLANE_SANITIZE)
  target_compile_options(bp_options INTERFACE -fsanitize=${BACKPLANE_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(bp_options INTERFACE -fsanitize=${BACKPLANE_SANITIZE})
  if(BACKPLANE_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio uses atomic_thread_fence, which TSan does not model.
    target_compile_options(bp_options INTERFACE -Wno-tsan)
  endif()
endif()
if(BACKPLANE_FUZZ)
  # Coverage feedback for the code under test; only the fuzz targets link libFuzzer's main.
  target_compile_options(bp_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
find_program(MOLD mold)
if(MOLD)
  target_link_options(bp_options INTERFACE -fuse-ld=mold)
endif()

# backplane_module(<name> [DEPS <module or library>...])
#
# Makes the library bp_<name with / as _> of the folder's own .cpp files and, when tests are
# on, one GoogleTest program <name>_test of its *_test.cpp files. DEPS are public: they are
# the arrows of docs/architecture.md.
function(backplane_module name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  string(REPLACE "/" "_" id ${name})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  if(sources)
    add_library(bp_${id} STATIC ${sources})
    target_link_libraries(bp_${id} PUBLIC bp_options ${ARG_DEPS})
  else()
    add_library(bp_${id} INTERFACE)
    target_link_libraries(bp_${id} INTERFACE bp_options ${ARG_DEPS})
  endif()
  if(BACKPLANE_TESTS AND tests)
    add_executable(${id}_test ${tests})
    target_link_libraries(${id}_test PRIVATE bp_${id} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${id}_test PRIVATE BACKPLANE_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                                  BACKPLANE_BINARY_DIR="${CMAKE_BINARY_DIR}")
    add_test(NAME ${id} COMMAND ${id}_test)
  endif()
  foreach(fuzzer IN LISTS fuzzers)
    get_filename_component(stem ${fuzzer} NAME_WE)
    if(BACKPLANE_FUZZ)
      add_executable(${id}_${stem} ${fuzzer})
      target_link_libraries(${id}_${stem} PRIVATE bp_${id})
      target_link_options(${id}_${stem} PRIVATE -fsanitize=fuzzer)
    elseif(BACKPLANE_TESTS)
      # The same target with a plain main(): the corpora run as ordinary tests, under any compiler.
      add_executable(${id}_${stem} ${fuzzer} ${CMAKE_SOURCE_DIR}/tests/fuzz/standalone_main.cpp)
      target_link_libraries(${id}_${stem} PRIVATE bp_${id})
      add_test(NAME ${id}_${stem} COMMAND ${id}_${stem} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${id}_${stem})
    endif()
  endforeach()
endfunction()
