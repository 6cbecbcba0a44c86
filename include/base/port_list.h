/*
 * port_list - a few ports, in the order in which they were given.
 */
#ifndef TLSTALLY_BASE_PORT_LIST_H
#define TLSTALLY_BASE_PORT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PORT_LIST_MAX 16

/* Starts as { 0 }: no port. */
struct port_list {
	uint16_t ports[PORT_LIST_MAX];
	size_t count;
};

/*
 * Adds "4788" or "4788,250".  A port that is there already is not added again.  Returns -1 when one
 * of them is no port, or there are too many; those in front of it are added all the same.
 */
int port_list_add_text(struct port_list *list, const char *text, struct error *err);

static inline bool
port_list_has(const struct port_list *list, uint16_t port)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->ports[i] == port)
			return true;
	}
	return false;
}

#endif
