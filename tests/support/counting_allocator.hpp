// An allocator in the place of the C library's that counts what it is asked for. For programs of one file.
#pragma once

#include <atomic>
#include <cstdlib>

static std::atomic<long> requests{0};

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) { return ++requests, __libc_malloc(size); }
void* calloc(std::size_t count, std::size_t size) { return ++requests, __libc_calloc(count, size); }
void* realloc(void* old, std::size_t size) { return ++requests, __libc_realloc(old, size); }
void* aligned_alloc(std::size_t alignment, std::size_t size) { return ++requests, __libc_memalign(alignment, size); }
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    *out = (++requests, __libc_memalign(alignment, size));
    return *out == nullptr;
}
}
