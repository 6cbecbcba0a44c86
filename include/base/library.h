/*
 * library - a shared library that is loaded where it is needed, and not with every start.
 *
 * Loading a library, and all that it is linked with, may take longer than reading a small capture.
 * Its functions are asked for by name, once, and kept as pointers of their own types:
 *
 *     #define ZLIB_FUNCTIONS(f) f(inflate) f(inflateEnd)
 *     struct zlib_library { ZLIB_FUNCTIONS(LIBRARY_POINTER) };
 *     LIBRARY_NAMES(zlib_library, ZLIB_FUNCTIONS);
 *     ...
 *     struct zlib_library lib;
 *     if (LIBRARY_LOAD("libz.so.1", zlib_library, &lib, err) != 0)
 */
#ifndef TLSTALLY_BASE_LIBRARY_H
#define TLSTALLY_BASE_LIBRARY_H

#include <stddef.h>

#include "base/error.h"

#define LIBRARY_POINTER(function) __typeof__(function) *(function);
#define LIBRARY_NAME(function) #function,
/* For a struct of nothing but LIBRARY_POINTERs: their names. */
#define LIBRARY_NAMES(type, functions)                                                             \
	static const char *const type##_names[] = { functions(LIBRARY_NAME) };                     \
	_Static_assert(sizeof(struct type) == sizeof(type##_names), "a pointer for each name")
/* library_load of that struct. */
#define LIBRARY_LOAD(file, type, out, err)                                                         \
	library_load(                                                                              \
	    (file), type##_names, sizeof(type##_names) / sizeof(type##_names[0]), (out), (err))

/*
 * Fills a struct of `count` pointers, in the order of their names.  `file`: the library's soname,
 * with the number of its interface, such as "libarchive.so.13".  It stays loaded.
 * Returns -1, and says what is missing, where the library or one of the functions is not there.
 */
int library_load(
    const char *file, const char *const *names, size_t count, void *pointers, struct error *err);

#endif
