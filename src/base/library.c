#include "base/library.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#include "base/banned.h"

int
library_load(
    const char *file, const char *const *names, size_t count, void *pointers, struct error *err)
{
	void *library = dlopen(file, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	uint8_t *out = pointers;

	if (library == NULL) {
		error_set(err, "a library that this needs is not installed (%s)", dlerror());
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		void *function = dlsym(library, names[i]);

		if (function == NULL) {
			error_set(
			    err, "a library that this needs is of another version (%s)", dlerror());
			(void)dlclose(library);
			return -1;
		}
		/* POSIX: what dlsym gives is a function's address too; ISO C has no cast for it. */
		memcpy(out + i * sizeof(function), &function, sizeof(function));
	}
	(void)dlclose(library); /* RTLD_NODELETE: what it gave stays good */
	return 0;
}
