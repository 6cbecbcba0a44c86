/*
 * interface_drops - what an interface has dropped before the kernel saw it.
 *
 * The kernel's files of it are opened while they can be found by the interface's name, and stay the
 * interface's when it is given another.
 *
 * Source: Documentation/ABI/testing/sysfs-class-net-statistics of the kernel.
 */
#ifndef TLSTALLY_CAPTURE_INTERFACE_DROPS_H
#define TLSTALLY_CAPTURE_INTERFACE_DROPS_H

#include <stdint.h>

#define INTERFACE_DROPS_FILES 2

struct interface_drops {
	int files[INTERFACE_DROPS_FILES]; /* -1: there is none */
	uint64_t last[INTERFACE_DROPS_FILES];
};

void interface_drops_init(struct interface_drops *d);
/* `name`: the kernel's.  What was dropped before does not count. */
void interface_drops_open(struct interface_drops *d, const char *name);
void interface_drops_close(struct interface_drops *d);
/* How many more there are than at the last call. */
uint64_t interface_drops_take(struct interface_drops *d);

#endif
