# cmake -DROOT=... -DFILES=... -DOUTPUT=... -P hash_interface.cmake
#
# Writes a header that defines SEQ_PLUGIN_INTERFACE as a hash of the names and contents of the files that FILES lists, one
# a line and from ROOT on: the same for the same sources, wherever they lie.
file(STRINGS ${FILES} files)
foreach(file ${files})
  file(SHA256 ${ROOT}/${file} hash)
  string(APPEND contents "${file} ${hash}\n")
endforeach()
string(SHA256 hash "${contents}")
string(SUBSTRING ${hash} 0 16 hash)
file(WRITE ${OUTPUT} "#pragma once\n\n#define SEQ_PLUGIN_INTERFACE \"${hash}\"\n")
