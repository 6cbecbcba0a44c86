#include "capture/interface_drops.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/banned.h"

static const char *const names[INTERFACE_DROPS_FILES] = { "rx_missed_errors", "rx_fifo_errors" };

void
interface_drops_init(struct interface_drops *d)
{
	for (size_t i = 0; i < INTERFACE_DROPS_FILES; i++)
		d->files[i] = -1;
}

/* Empty for a moment, or of an interface that is gone: false. */
static bool
read_count(int file, uint64_t *out)
{
	char text[32];
	ssize_t len = pread(file, text, sizeof(text) - 1, 0);

	if (len <= 0 || text[0] < '0' || text[0] > '9')
		return false;
	text[len] = '\0';
	*out = strtoull(text, NULL, 10);
	return true;
}

void
interface_drops_open(struct interface_drops *d, const char *name)
{
	char path[128];

	interface_drops_close(d);
	for (size_t i = 0; i < INTERFACE_DROPS_FILES; i++) {
		(void)snprintf(
		    path, sizeof(path), "/sys/class/net/%s/statistics/%s", name, names[i]);
		d->files[i] = open(path, O_RDONLY | O_CLOEXEC);
		d->last[i] = 0;
		if (d->files[i] >= 0)
			(void)read_count(d->files[i], &d->last[i]);
	}
}

void
interface_drops_close(struct interface_drops *d)
{
	for (size_t i = 0; i < INTERFACE_DROPS_FILES; i++) {
		if (d->files[i] >= 0)
			(void)close(d->files[i]);
		d->files[i] = -1;
	}
}

uint64_t
interface_drops_take(struct interface_drops *d)
{
	uint64_t sum = 0, now;

	for (size_t i = 0; i < INTERFACE_DROPS_FILES; i++) {
		if (d->files[i] < 0 || !read_count(d->files[i], &now))
			continue;
		/* It goes back where a driver begins anew. */
		if (now > d->last[i])
			sum += now - d->last[i];
		d->last[i] = now;
	}
	return sum;
}
