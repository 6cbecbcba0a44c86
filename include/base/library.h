/*
 * library - a shared library that is loaded where it is needed, and not with every start.
 *
 * Loading a library, and all that it is linked with, may take longer than reading a small capture.
 * Its functions are asked for by name, once, and kept as pointers of their own types:
 *
 *     #define ZLIB_FUNCTIONS(f) f(inflate) f(inflateEnd)
 *     struct zlib_library { ZLIB_FUNCTIONS(LIBRARY_POINTER) };
 *     static const char *const names[] = { ZLIB_FUNCTIONS(LIBRARY_NAME) };
 */
#ifndef TLSTALLY_BASE_LIBRARY_H
#define TLSTALLY_BASE_LIBRARY_H

#include <stddef.h>

#include "base/error.h"

#define LIBRARY_POINTER(function) __typeof__(function) *(function);
#define LIBRARY_NAME(function) #function,

/*
 * Fills a struct of `count` pointers, in the order of their names.  `file`: the library's soname,
 * with the number of its interface, such as "libarchive.so.13".  It stays loaded.
 * Returns -1, and says what is missing, where the library or one of the functions is not there.
 */
int library_load(
    const char *file, const char *const *names, size_t count, void *pointers, struct error *err);

#endif
