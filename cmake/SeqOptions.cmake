# Build type, flags of every target (seq_flags), sanitizers and ccache.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(SEQ_CCACHE ccache)
if(SEQ_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Objects are shared between build folders, whose path only the debug information names.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 ${SEQ_CCACHE})
endif()

add_library(seq_flags INTERFACE)
target_compile_options(seq_flags INTERFACE -Wall -Wextra -Wconversion -Wno-missing-field-initializers
                       $<$<BOOL:${SEQ_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlaps in std::string's operator+ that are not there (GCC bug 105651).
  target_compile_options(seq_flags INTERFACE -Wno-restrict)
endif()
if(CMAKE_UNITY_BUILD)
  # It takes a source that another one includes for a header.
  target_compile_options(seq_flags INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
endif()
target_compile_definitions(seq_flags INTERFACE $<$<BOOL:${SEQ_DEBUG_VERIFY}>:SEQ_DEBUG_VERIFY=1>
                           $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

if(SEQ_SANITIZE)
  if(SEQ_SANITIZE MATCHES "undefined")
    # A third of the time that compiling graph/ takes goes into these. The address sanitizer finds what they are for where it
    # does harm on x86, but for unaligned access by scalar code, which does none.
    set(seq_unlooked "-fno-sanitize=null,alignment,object-size,vptr")
  endif()
  # For every target, dependencies' headers included, so that all objects agree.
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${SEQ_SANITIZE};${seq_unlooked};-fno-sanitize-recover=all;-fno-omit-frame-pointer>")
  add_link_options(-fsanitize=${SEQ_SANITIZE})
endif()
