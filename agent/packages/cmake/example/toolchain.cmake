# The cross compiler for QEMU's board: @target@.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_CXX_COMPILER @compiler@)
set(CMAKE_ASM_COMPILER @compiler@)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_CXX_FLAGS_INIT "@flags@")
set(CMAKE_ASM_FLAGS_INIT "@flags@")
set(CMAKE_EXE_LINKER_FLAGS_INIT "@link_flags@")
set(CMAKE_CXX_LINK_EXECUTABLE "@linker@ <LINK_FLAGS> <OBJECTS> -o <TARGET> <LINK_LIBRARIES>")
