# SEQ_CUDA_FOUND: whether libseq_cuda.so is built, as SEQ_CUDA says.
set(SEQ_CUDA AUTO CACHE STRING "Build libseq_cuda.so, which computes on NVIDIA GPUs: AUTO (where CUDA 13 and cuDNN 9 are), ON or OFF")
set_property(CACHE SEQ_CUDA PROPERTY STRINGS AUTO ON OFF)

set(seq_cuda_minimum 13.0)
set(SEQ_CUDA_FOUND FALSE)

function(seq_find_cuda)
  find_package(CUDAToolkit ${seq_cuda_minimum} QUIET GLOBAL)
  if(NOT CUDAToolkit_FOUND)
    set(SEQ_CUDA_LACK "no CUDA toolkit ${seq_cuda_minimum} or later" PARENT_SCOPE)
    return()
  endif()
  # cuDNN has no CMake package where it comes with the toolkit or from PyPI (nvidia-cudnn-cu13: name its folder in CMAKE_PREFIX_PATH).
  find_path(SEQ_CUDNN_INCLUDE_DIR cudnn_backend.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_library(SEQ_CUDNN_LIBRARY NAMES cudnn libcudnn.so.9
               HINTS ${CUDAToolkit_LIBRARY_DIR} ${CUDAToolkit_LIBRARY_ROOT} PATH_SUFFIXES lib lib64)
  mark_as_advanced(SEQ_CUDNN_INCLUDE_DIR SEQ_CUDNN_LIBRARY)
  if(NOT SEQ_CUDNN_INCLUDE_DIR)
    set(SEQ_CUDA_LACK "no cudnn_backend.h" PARENT_SCOPE)
    return()
  endif()
  message(STATUS "CUDA ${CUDAToolkit_VERSION} from ${CUDAToolkit_BIN_DIR}: building libseq_cuda.so")
  set(SEQ_CUDA_FOUND TRUE PARENT_SCOPE)
endfunction()

if(SEQ_CUDA)
  seq_find_cuda()
  if(NOT SEQ_CUDA_FOUND AND SEQ_CUDA STREQUAL "AUTO")
    message(STATUS "libseq_cuda.so is not built: ${SEQ_CUDA_LACK}")
  elseif(NOT SEQ_CUDA_FOUND)
    message(FATAL_ERROR "SEQ_CUDA=${SEQ_CUDA}, but there is ${SEQ_CUDA_LACK}.")
  endif()
endif()
