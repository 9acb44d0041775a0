# seq_add_library(NAME [SOURCES glob...] [EXCLUDE regex] [APART glob...] [PUBLIC targets...] [PRIVATE targets...])
#
# One static library of a folder, an INTERFACE library while the folder has no source. NAME_links, an executable that
# holds the whole library and only what it may stand on, makes a call in the wrong direction a link error.
# Where several files are compiled as one (CMAKE_UNITY_BUILD), those of APART are not: kernels that say the same of
# different layers, in the same words.
set(seq_empty_main ${CMAKE_BINARY_DIR}/empty_main.cpp)
file(CONFIGURE OUTPUT ${seq_empty_main} CONTENT "int main() { return 0; }\n")

# Files named *_avx2.cpp, *_avx512.cpp and *_amx.cpp may use these instructions; nothing else is built for more than the baseline.
function(seq_set_isa_flags)
  foreach(source ${ARGN})
    if(source MATCHES "_avx2\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mf16c")
    elseif(source MATCHES "_avx512\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
                                  "-mavx2;-mfma;-mf16c;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mprefer-vector-width=512")
    elseif(source MATCHES "_amx\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
                                  "-mavx2;-mfma;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512bf16;-mamx-tile;-mamx-bf16;-Wno-maybe-uninitialized")
    endif()
  endforeach()
endfunction()

function(seq_add_library name)
  cmake_parse_arguments(arg "" "EXCLUDE" "SOURCES;APART;PUBLIC;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${arg_SOURCES})
  if(arg_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX ${arg_EXCLUDE})
  endif()
  string(REPLACE "seq_" "" alias ${name})
  if(NOT sources)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_PUBLIC})
    target_include_directories(${name} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  else()
    add_library(${name} STATIC ${sources})
    seq_set_isa_flags(${sources})
    if(arg_APART)
      file(GLOB apart CONFIGURE_DEPENDS ${arg_APART})
      set_source_files_properties(${apart} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
    target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:seq_flags>)
    target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
    add_executable(${name}_links ${seq_empty_main})
    target_link_libraries(${name}_links PRIVATE "$<LINK_LIBRARY:WHOLE_ARCHIVE,${name}>")
    set_target_properties(${name}_links PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/links)
  endif()
  add_library(seq::${alias} ALIAS ${name})
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${alias})
  target_compile_features(${name} INTERFACE cxx_std_20)
endfunction()
