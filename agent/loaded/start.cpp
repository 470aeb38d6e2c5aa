// SPDX-License-Identifier: Apache-2.0
// Linked with every loaded function: runs static constructors, and stands in for what the C++ library would bring
// to programs that end. Loaded code never ends, so nothing is ever destroyed.

extern "C" {

typedef void (*Constructor)();
extern const Constructor __init_array_start[], __init_array_end[];  // the linker's

void mote_start(void*) {
  for (const Constructor* next = __init_array_start; next != __init_array_end; ++next) (*next)();
}

__attribute__((weak)) int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }
__attribute__((weak)) int __aeabi_atexit(void*, void (*)(void*), void*) { return 0; }
__attribute__((weak)) void __cxa_pure_virtual() { __builtin_trap(); }
__attribute__((weak)) extern const char __dso_handle = 0;

}  // extern "C"

// Virtual destructors name these; nothing was allocated that they could free.
__attribute__((weak)) void operator delete(void*) noexcept {}
__attribute__((weak)) void operator delete(void*, decltype(sizeof(0))) noexcept {}
