# Writes OUT: a C++ table of the given FILES, by their paths below ROOT.
set(text "// Written by cmake/embed.cmake.\n#include \"base/embedded.hpp\"\n\nnamespace mote {\nnamespace {\nconst EmbeddedFile table[] = {\n")
foreach(file ${FILES})
  file(RELATIVE_PATH name ${ROOT} ${file})
  file(READ ${file} content)
  # MSVC-sized literals are no concern, but raw strings end at the delimiter: it must not occur in any file.
  string(FIND "${content}" ")MOTE_FILE\"" found)
  if(NOT found EQUAL -1)
    message(FATAL_ERROR "${name} contains the raw string delimiter")
  endif()
  string(APPEND text "    {\"${name}\", R\"MOTE_FILE(${content})MOTE_FILE\"},\n")
endforeach()
string(APPEND text "};\n}  // namespace\n\nstd::span<const EmbeddedFile> embedded_files() { return table; }\n\n}  // namespace mote\n")
file(WRITE ${OUT} "${text}")
