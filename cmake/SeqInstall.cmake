# Installs seqc, the libraries, the headers as <seq/...>, and what find_package(seq) needs.
include(CMakePackageConfigHelpers)

set(seq_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/seq)
set(seq_onednn_dir ${CMAKE_INSTALL_LIBDIR}/seq/onednn)

install(TARGETS seq seq_graph seq_kernels seq_kernels_cpu seq_engine seq_frontend EXPORT seq-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT seq-targets NAMESPACE seq:: DESTINATION ${seq_package_dir})
if(TARGET seqc)
  set_target_properties(seqc PROPERTIES INSTALL_RPATH "$ORIGIN/../${seq_onednn_dir}/lib")
  install(TARGETS seqc RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

if(TARGET seq_cuda)
  install(TARGETS seq_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()

# The oneDNN that tools/setup unpacked goes along; a system's is found where it is.
if(SEQ_ONEDNN_PREFIX)
  install(DIRECTORY ${SEQ_ONEDNN_PREFIX}/ DESTINATION ${seq_onednn_dir} USE_SOURCE_PERMISSIONS
          PATTERN .complete EXCLUDE)
endif()

# In the tree a header is "graph/op.hpp"; installed it is <seq/graph/op.hpp>.
install(CODE "
  set(SEQ_SOURCE_DIR \"${PROJECT_SOURCE_DIR}\")
  set(SEQ_HEADER_DIR \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}/seq\")
  include(\"${PROJECT_SOURCE_DIR}/cmake/install_headers.cmake\")")

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/seq-config.cmake.in ${CMAKE_BINARY_DIR}/seq-config.cmake
                              INSTALL_DESTINATION ${seq_package_dir} PATH_VARS seq_onednn_dir)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/seq-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/seq-config.cmake ${CMAKE_BINARY_DIR}/seq-config-version.cmake
              ${PROJECT_SOURCE_DIR}/cmake/FindSPNG.cmake
        DESTINATION ${seq_package_dir})
