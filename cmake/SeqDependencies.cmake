# Finds everything that tools/setup installs. oneDNN: see docs/building.md, "Which oneDNN".
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.9 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(TBB 2021.5 REQUIRED COMPONENTS tbb)

set(seq_onednn_minimum 3.2)

# A changed choice must not find what an earlier one left in the cache.
if(NOT "${SEQ_ONEDNN}" STREQUAL "${SEQ_ONEDNN_FOUND_FOR}")
  unset(dnnl_DIR CACHE)
endif()
set(SEQ_ONEDNN_FOUND_FOR ${SEQ_ONEDNN} CACHE INTERNAL "")

function(seq_find_onednn)
  set(wheel ${SEQ_DEPS_DIR}/onednn-${SEQ_ONEDNN})
  if(SEQ_ONEDNN STREQUAL "auto" OR SEQ_ONEDNN STREQUAL "system")
    find_package(dnnl ${seq_onednn_minimum} CONFIG QUIET GLOBAL)
    set(wheel ${SEQ_DEPS_DIR}/onednn-wheel-tbb)
  endif()
  if(NOT dnnl_FOUND AND NOT SEQ_ONEDNN STREQUAL "system")
    find_package(dnnl ${seq_onednn_minimum} CONFIG QUIET GLOBAL NO_DEFAULT_PATH PATHS ${wheel})
  endif()
  if(NOT dnnl_FOUND)
    message(FATAL_ERROR "No oneDNN ${seq_onednn_minimum} or later for SEQ_ONEDNN=${SEQ_ONEDNN}: "
                        "run tools/setup, or tools/setup --onednn ${SEQ_ONEDNN}.")
  endif()
  get_filename_component(prefix ${dnnl_DIR}/../../.. ABSOLUTE)
  if(NOT prefix MATCHES "^${SEQ_DEPS_DIR}/")
    set(prefix "")
  endif()
  set(SEQ_ONEDNN_PREFIX "${prefix}" PARENT_SCOPE)
  set(dnnl_VERSION ${dnnl_VERSION} PARENT_SCOPE)
  set(DNNL_CPU_RUNTIME ${DNNL_CPU_RUNTIME} PARENT_SCOPE)
  message(STATUS "oneDNN ${dnnl_VERSION} (${DNNL_CPU_RUNTIME}) from ${dnnl_DIR}")
endfunction()

seq_find_onednn()
