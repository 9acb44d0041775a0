# Installs the build tree BUILD, then builds and runs project/ against what was installed, and the installed command on MODEL.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${output}")
  endif()
endfunction()

set(stage ${BUILD}/install-test)
file(REMOVE_RECURSE ${stage})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${stage}/moved)
# What is installed must not depend on where it was installed to.
file(RENAME ${stage}/moved ${stage}/prefix)
run(${CMAKE_COMMAND} -G Ninja -S ${CMAKE_CURRENT_LIST_DIR}/project -B ${stage}/build -DCMAKE_PREFIX_PATH=${stage}/prefix
    -DCMAKE_CXX_COMPILER=${COMPILER})
run(${CMAKE_COMMAND} --build ${stage}/build)
run(${stage}/build/stranger)
run(${stage}/prefix/bin/seqc check ${MODEL})
file(REMOVE_RECURSE ${stage})
