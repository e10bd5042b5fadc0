// An allocator in the place of the C library's of which one request fails. For programs of one file.
#pragma once

#include <cerrno>
#include <cstdlib>

static long requests_left = 0;  // until the one that fails; 0: none does

/// The n-th request from now on fails, once.
static void fail_at(long n) { requests_left = n; }
static void fail_never() { requests_left = 0; }

static bool fails() { return requests_left > 0 && --requests_left == 0; }

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) { return fails() ? nullptr : __libc_malloc(size); }
void* calloc(std::size_t count, std::size_t size) { return fails() ? nullptr : __libc_calloc(count, size); }
void* realloc(void* old, std::size_t size) { return fails() ? nullptr : __libc_realloc(old, size); }
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    return fails() ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    *out = fails() ? nullptr : __libc_memalign(alignment, size);
    return *out == nullptr ? ENOMEM : 0;
}
}
