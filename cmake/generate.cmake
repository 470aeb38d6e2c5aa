# Sources that the build writes: registries from the files of a folder, embedded device files, FlatBuffers and Protocol
# Buffers code.

# One table per folder: every FILE.cpp must define `extern const TYPE NAMESPACE::FILE` ('-' in a name becomes '_').
# FUNCTION gives the table.
function(mote_registry namespace type header registry function files out)
  set(declarations "")
  set(rows "")
  list(SORT files)
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    get_filename_component(folder ${file} DIRECTORY)
    string(REPLACE "-" "_" symbol ${stem})
    file(STRINGS ${file} found REGEX "extern const ${type} ")
    if(found)
      string(APPEND declarations "extern const ${type} ${symbol};\n")
      string(APPEND rows "    &${symbol},\n")
    elseif(NOT EXISTS ${folder}/${stem}.hpp)
      message(FATAL_ERROR "${file} defines no 'extern const ${type} ${symbol}' and has no header of its own")
    endif()
  endforeach()
  set(path ${CMAKE_BINARY_DIR}/generated/${namespace}_registry.cpp)
  file(CONFIGURE OUTPUT ${path} CONTENT "// Written by cmake/generate.cmake.
#include \"${registry}\"

namespace mote::${namespace} {

${declarations}
namespace {
const ${type}* const table[] = {
${rows}};
}

std::span<const ${type}* const> ${function}() { return table; }

}  // namespace mote::${namespace}
" @ONLY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  set(${out} ${${out}} ${path} PARENT_SCOPE)
endfunction()

# A user's own operator, FOLDER/NAME.cpp with kernel headers beside it, becomes one of Mote's: call it before Mote's
# own CMakeLists.txt is read, or set MOTE_OPERATORS to a list of such files.
function(mote_add_operator source)
  get_filename_component(path ${source} ABSOLUTE)
  set_property(GLOBAL APPEND PROPERTY MOTE_OPERATORS ${path})
endfunction()

# The operators that were asked for, and the copies of their headers that "user/HEADER" finds.
function(mote_user_operators sources headers)
  get_property(added GLOBAL PROPERTY MOTE_OPERATORS)
  set(copies "")
  foreach(source ${added} ${MOTE_OPERATORS})
    get_filename_component(path ${source} ABSOLUTE BASE_DIR ${CMAKE_SOURCE_DIR})
    get_filename_component(folder ${path} DIRECTORY)
    file(GLOB beside CONFIGURE_DEPENDS ${folder}/*.hpp)
    foreach(header ${beside})
      get_filename_component(name ${header} NAME)
      configure_file(${header} ${CMAKE_BINARY_DIR}/generated/user/${name} COPYONLY)
      list(APPEND copies ${CMAKE_BINARY_DIR}/generated/user/${name})
    endforeach()
    list(APPEND found ${path})
  endforeach()
  list(REMOVE_DUPLICATES copies)
  set(${sources} ${found} PARENT_SCOPE)
  set(${headers} ${copies} PARENT_SCOPE)
endfunction()

# Kernel headers, firmware sources, the report's page and the headers of operators travel inside the program: it needs
# no installation folder.
function(mote_embed files out)
  set(path ${CMAKE_BINARY_DIR}/generated/embedded.cpp)
  list(SORT files)
  add_custom_command(OUTPUT ${path}
    COMMAND ${CMAKE_COMMAND} -DOUT=${path} -DROOT=${CMAKE_SOURCE_DIR} -DGENERATED=${CMAKE_BINARY_DIR}/generated "-DFILES=${files}" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${files} cmake/embed.cmake VERBATIM COMMENT "Embedding kernels, firmware and the report's page")
  set(${out} ${${out}} ${path} PARENT_SCOPE)
endfunction()

function(mote_flatbuffers schema out)
  get_filename_component(stem ${schema} NAME_WE)
  set(path ${CMAKE_BINARY_DIR}/generated/${stem}_generated.h)
  add_custom_command(OUTPUT ${path}
    COMMAND ${FLATC} --cpp --gen-object-api --scoped-enums --reflect-types -o ${CMAKE_BINARY_DIR}/generated ${CMAKE_SOURCE_DIR}/${schema}
    DEPENDS ${schema} VERBATIM)
  set(${out} ${${out}} ${path} PARENT_SCOPE)
endfunction()

function(mote_protobuf schema out)
  get_filename_component(stem ${schema} NAME_WE)
  get_filename_component(folder ${CMAKE_SOURCE_DIR}/${schema} DIRECTORY)
  set(path ${CMAKE_BINARY_DIR}/generated/${stem}.pb)
  add_custom_command(OUTPUT ${path}.cc ${path}.h
    COMMAND protobuf::protoc --cpp_out=${CMAKE_BINARY_DIR}/generated -I ${folder} ${CMAKE_SOURCE_DIR}/${schema}
    DEPENDS ${schema} VERBATIM)
  set(${out} ${path}.cc ${path}.h PARENT_SCOPE)
endfunction()
