# Copies the public headers from SEQ_SOURCE_DIR to SEQ_HEADER_DIR, their includes rewritten to the installed names.
file(GLOB_RECURSE headers RELATIVE ${SEQ_SOURCE_DIR} ${SEQ_SOURCE_DIR}/graph/*.hpp ${SEQ_SOURCE_DIR}/graph/*.def
    ${SEQ_SOURCE_DIR}/kernels/*.hpp
     ${SEQ_SOURCE_DIR}/engine/*.hpp ${SEQ_SOURCE_DIR}/frontend/*.hpp)
list(FILTER headers EXCLUDE REGEX "^kernels/(cpu|cuda)/")
foreach(header seq.hpp ${headers})
  file(READ ${SEQ_SOURCE_DIR}/${header} text)
  string(REGEX REPLACE "#include \"((graph|kernels|engine|frontend)/[^\"]*)\"" "#include <seq/\\1>" text "${text}")
  file(WRITE ${SEQ_HEADER_DIR}/${header} "${text}")
endforeach()
list(LENGTH headers count)
message(STATUS "Installed ${count} headers into ${SEQ_HEADER_DIR}")
