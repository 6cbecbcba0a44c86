#include "capture/capture_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xalloc.h"

#include "base/banned.h"

bool
folder_is(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void
path_list_take(struct path_list *list, char *path)
{
	if (list->count == list->room) {
		list->room = list->room * 2 + 16;
		list->paths = xreallocarray(list->paths, list->room, sizeof(*list->paths));
	}
	list->paths[list->count++] = path;
}

void
path_list_add(struct path_list *list, const char *folder, const char *name)
{
	size_t len = strlen(folder) + strlen(name) + 2;
	bool has_slash = folder[0] != '\0' && folder[strlen(folder) - 1] == '/';
	char *path = xmalloc(len);

	(void)snprintf(path, len, "%s%s%s", folder, has_slash ? "" : "/", name);
	path_list_take(list, path);
}

void
path_list_release(struct path_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->paths[i]);
	free(list->paths);
	*list = (struct path_list){ 0 };
}

/* By bytes, not by locale: the same order everywhere. */
static int
compare_paths(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

int
folder_list(const char *path, struct path_list *out, struct error *err)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int why;

	if (dir == NULL) {
		error_set(err, "cannot read folder %s: %s", path, strerror(errno));
		return -1;
	}
	/* That there are no more names, and that they cannot be read, differ by errno alone. */
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0)
		if (entry->d_name[0] != '.')
			path_list_add(out, path, entry->d_name);
	why = errno;
	(void)closedir(dir);
	if (why != 0) {
		error_set(err, "cannot read folder %s: %s", path, strerror(why));
		path_list_release(out);
		return -1;
	}
	if (out->count > 0)
		qsort(out->paths, out->count, sizeof(*out->paths), compare_paths);
	return 0;
}
