/*
 * replay_corpus - runs a fuzz target over saved inputs, as an ordinary test.
 *
 * usage: fuzz_x PATH...   each PATH is a file or a folder of files; a missing folder is an error.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int
run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	size_t len;
	struct stat st;

	if (f == NULL || fstat(fileno(f), &st) != 0) {
		perror(path);
		return -1;
	}
	/* Exactly as large as the input, so that a sanitizer sees the first byte past it. */
	data = xmalloc((size_t)st.st_size + (st.st_size == 0));
	len = fread(data, 1, (size_t)st.st_size, f);
	(void)LLVMFuzzerTestOneInput(data, len);
	free(data);
	fclose(f);
	return 0;
}

static int
run_folder(const char *path, size_t *count)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[4096];

	if (dir == NULL) {
		perror(path);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >=
			sizeof(name) ||
		    run_file(name) != 0) {
			closedir(dir);
			return -1;
		}
		(*count)++;
	}
	closedir(dir);
	return 0;
}

int
main(int argc, char **argv)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISREG(st.st_mode)) {
			if (run_file(argv[i]) != 0)
				return 1;
			count++;
		} else if (run_folder(argv[i], &count) != 0) {
			return 1;
		}
	}
	printf("%zu inputs\n", count);
	return count > 0 ? 0 : 1;
}
