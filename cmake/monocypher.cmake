# The cryptography of keyed devices as a library, mote_agent_crypto: over Monocypher, which tools/monocypher.sh fetches.
# Without it, the library accepts nothing and says so.
set(MOTE_MONOCYPHER ${CMAKE_SOURCE_DIR}/build/monocypher CACHE PATH "Folder of monocypher.c and monocypher.h")
if(EXISTS ${MOTE_MONOCYPHER}/monocypher.c)
  add_library(monocypher STATIC EXCLUDE_FROM_ALL ${MOTE_MONOCYPHER}/monocypher.c)
  set_source_files_properties(${MOTE_MONOCYPHER}/monocypher.c PROPERTIES LANGUAGE CXX)
  target_include_directories(monocypher SYSTEM PUBLIC ${MOTE_MONOCYPHER})
  add_library(mote_agent_crypto STATIC EXCLUDE_FROM_ALL agent/sha512.cpp agent/keyed/crypto.cpp)
  target_include_directories(mote_agent_crypto PUBLIC agent/keyed)
  target_link_libraries(mote_agent_crypto PUBLIC monocypher)
  target_compile_definitions(mote_agent_crypto INTERFACE MOTE_MONOCYPHER="${MOTE_MONOCYPHER}")
else()
  message(STATUS "Monocypher is not there: no keyed devices, their tests are skipped; tools/monocypher.sh build/monocypher "
    "fetches it")
  add_library(mote_agent_crypto STATIC EXCLUDE_FROM_ALL agent/sha512.cpp agent/open/crypto.cpp)
  target_include_directories(mote_agent_crypto PUBLIC agent/open)
endif()
target_include_directories(mote_agent_crypto PUBLIC ${CMAKE_SOURCE_DIR} PRIVATE agent)
target_link_libraries(mote_agent_crypto PRIVATE mote_warnings)
