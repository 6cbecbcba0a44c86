#include "base/port_list.h"

#include <stdlib.h>

#include "base/banned.h"

/* Reads one port; NULL where there is none, else what follows it. */
static const char *
read_port(const char *text, uint16_t *port)
{
	unsigned long value;
	char *end;

	/* strtoul takes signs and blanks, a port has neither. */
	if (text[0] < '0' || text[0] > '9')
		return NULL;
	value = strtoul(text, &end, 10);
	if (value < 1 || value > UINT16_MAX || (*end != '\0' && *end != ','))
		return NULL;
	*port = (uint16_t)value;
	return end;
}

int
port_list_add_text(struct port_list *list, const char *text, struct error *err)
{
	const char *rest = text;

	do {
		uint16_t port;

		rest = read_port(rest, &port);
		if (rest == NULL) {
			error_set(err,
			    "'%.80s' is no list of ports: give numbers from 1 to 65535, with "
			    "commas between them",
			    text);
			return -1;
		}
		if (port_list_has(list, port))
			continue;
		if (list->count == PORT_LIST_MAX) {
			error_set(
			    err, "port %u is one too many: there may be %d", port, PORT_LIST_MAX);
			return -1;
		}
		list->ports[list->count++] = port;
	} while (*rest++ == ',');
	return 0;
}
