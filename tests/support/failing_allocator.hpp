// An allocator in the place of the C library's of which one request fails, and which counts what has not been given
// back. For programs of one file.
#pragma once

#include <cerrno>
#include <cstdlib>

static long requests_left = 0;  // until the one that fails; 0: none does
static long live_blocks = 0;    // handed out and not given back

/// The n-th request from now on fails, once.
static void fail_at(long n) { requests_left = n; }
static void fail_never() { requests_left = 0; }

static bool fails() { return requests_left > 0 && --requests_left == 0; }
static void* counted(void* block) {
    live_blocks += block != nullptr ? 1 : 0;
    return block;
}

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) { return fails() ? nullptr : counted(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) { return fails() ? nullptr : counted(__libc_calloc(count, size)); }
void* realloc(void* old, std::size_t size) {
    if (fails()) return nullptr;
    void* const block = __libc_realloc(old, size);
    if (old == nullptr) return counted(block);
    if (size == 0 && block == nullptr) --live_blocks;
    return block;
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    return fails() ? nullptr : counted(__libc_memalign(alignment, size));
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    *out = fails() ? nullptr : counted(__libc_memalign(alignment, size));
    return *out == nullptr ? ENOMEM : 0;
}
void free(void* block) {
    live_blocks -= block != nullptr ? 1 : 0;
    __libc_free(block);
}
}
