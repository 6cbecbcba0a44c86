/* Lists: interfaces, host names, ports, networks, services. */
#include <stdlib.h>
#include <string.h>

#include "base/hostname.h"
#include "base/xalloc.h"
#include "config/config_internal.h"

#include "base/banned.h"

/* What Linux can be asked for; alternative names may be longer, but nothing captures by these. */
#define INTERFACE_LEN_MAX 15

void
config_texts_release(struct config_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->items[i]);
	free(texts->items);
	*texts = (struct config_texts){ 0 };
}

static bool
is_full(size_t count, const char *item, struct error *err)
{
	if (count < CONFIG_LIST_MAX)
		return false;
	error_set(err, "'%.80s' is one too many: there may be %d", item, CONFIG_LIST_MAX);
	return true;
}

static bool
add_text(struct config_texts *texts, const char *item, struct error *err)
{
	if (is_full(texts->count, item, err))
		return false;
	for (size_t i = 0; i < texts->count; i++) {
		if (strcmp(texts->items[i], item) == 0) {
			error_set(err, "'%.127s' is given twice: once is enough", item);
			return false;
		}
	}
	texts->items = xreallocarray(texts->items, texts->count + 1, sizeof(*texts->items));
	texts->items[texts->count++] = xstrdup(item);
	return true;
}

static bool
add_interface(struct config_texts *interfaces, const char *item, struct error *err)
{
	size_t len = 0;

	while (item[len] > ' ' && item[len] < 0x7f && item[len] != '/')
		len++;
	/* A colon is no interface of the kernel's: nflog:5. */
	if (item[len] != '\0' || (len > INTERFACE_LEN_MAX && strchr(item, ':') == NULL)) {
		error_set(err,
		    "'%.80s' is no interface: give names such as eth0, of at most %d characters "
		    "without blanks and /",
		    item, INTERFACE_LEN_MAX);
		return false;
	}
	/* libpcap would decide on each packet that a firewall hands over there. */
	if (strcmp(item, "nfqueue") == 0 || strncmp(item, "nfqueue:", strlen("nfqueue:")) == 0) {
		error_set(err,
		    "'%.80s' takes packets out of the firewall's hands: give nflog:GROUP, which "
		    "only hears them",
		    item);
		return false;
	}
	return add_text(interfaces, item, err);
}

static bool
add_host(struct config_texts *hosts, char *item, struct error *err)
{
	hostname_to_lower(item);
	if (!hostname_pattern_is_valid(item)) {
		error_set(err,
		    "'%.80s' is no host name: give one such as imap.example.com, or "
		    "*.example.com for all below it",
		    item);
		return false;
	}
	return add_text(hosts, item, err);
}

static bool
add_network(struct network_set *networks, const char *item, struct error *err)
{
	if (is_full(networks->count, item, err))
		return false;
	return network_set_add_text(networks, item, err) == 0;
}

/* Named twice in the file is a mistake; on the command line the last one counts, as always. */
static bool
add_service(struct config *c, enum config_layer layer, const char *item, struct error *err)
{
	uint8_t *given;
	uint8_t bit;
	unsigned long port;

	if (service_set_add_text(&c->services, item, err) != 0)
		return false;
	port = strtoul(item, NULL, 10); /* 1 to 65535: it was accepted */
	given = &c->service_given[port / 8];
	bit = (uint8_t)(1u << port % 8);
	if (layer == CONFIG_LAYER_FILE && (*given & bit) != 0) {
		error_set(
		    err, "port %lu is given twice: what is usual there can be said once", port);
		return false;
	}
	*given |= bit;
	return true;
}

bool
config_list_add(
    struct config *c, enum config_key key, enum config_layer layer, char *item, struct error *err)
{
	void *member = config_member(c, key);

	if (item[0] == '\0') {
		error_set(err, "has an empty entry: put something between the commas");
		return false;
	}
	switch (config_entries[key].kind) {
	case CONFIG_KIND_INTERFACES:
		return add_interface(member, item, err);
	case CONFIG_KIND_HOSTS:
		return add_host(member, item, err);
	case CONFIG_KIND_PORTS:
		return port_list_add_text(member, item, err) == 0;
	case CONFIG_KIND_NETWORKS:
		return add_network(member, item, err);
	case CONFIG_KIND_SERVICES:
		return add_service(c, layer, item, err);
	case CONFIG_KIND_NAME:
	case CONFIG_KIND_USER:
	case CONFIG_KIND_PATH:
	case CONFIG_KIND_EVENTS:
	case CONFIG_KIND_COUNT:
	case CONFIG_KIND_SIZE:
	case CONFIG_KIND_TIME:
	case CONFIG_KIND_SWITCH:
	case CONFIG_KIND_LOG_LEVEL:
	case CONFIG_KIND_VERSION:
	case CONFIG_KIND_FORM:
		break; /* scalars: see value.c */
	}
	error_set(err, "is no list");
	return false;
}

/*
 * Empties a list for the next layer.  Services are added to those of the layer below, so they stay.
 */
void
config_list_clear(struct config *c, enum config_key key)
{
	void *member = config_member(c, key);
	enum config_kind kind = config_entries[key].kind;

	if (kind == CONFIG_KIND_INTERFACES || kind == CONFIG_KIND_HOSTS)
		config_texts_release(member);
	else if (kind == CONFIG_KIND_PORTS)
		*(struct port_list *)member = (struct port_list){ 0 };
	else if (kind == CONFIG_KIND_NETWORKS)
		network_set_release(member);
}

static void
texts_to_text(const struct config_texts *texts, const char *separator, struct buf *out)
{
	for (size_t i = 0; i < texts->count; i++) {
		if (i > 0)
			buf_add_text(out, separator);
		buf_add_text(out, texts->items[i]);
	}
}

static void
ports_to_text(const struct port_list *list, const char *separator, struct buf *out)
{
	for (size_t i = 0; i < list->count; i++)
		buf_addf(out, "%s%u", i > 0 ? separator : "", list->ports[i]);
}

static void
networks_to_text(const struct network_set *networks, const char *separator, struct buf *out)
{
	char text[ADDR_TEXT_LEN];

	if (networks->any)
		buf_add_text(out, "any");
	for (size_t i = 0; i < networks->count; i++) {
		const struct network *net = &networks->items[i];

		if (i > 0 || networks->any)
			buf_add_text(out, separator);
		buf_add_text(out, addr_to_text(&net->addr, text));
		if (net->prefix_len != (net->addr.family == 4 ? 32 : 128))
			buf_addf(out, "/%u", net->prefix_len);
	}
}

static void
services_to_text(const struct service_set *services, const char *separator, struct buf *out)
{
	bool first = true;

	for (unsigned port = 1; port <= UINT16_MAX; port++) {
		struct service service;

		if (!service_set_has(services, (uint16_t)port))
			continue;
		service = service_set_find(services, (uint16_t)port);
		buf_addf(out, "%s%u=%s%s", first ? "" : separator, port,
		    protocol_to_text(service.protocol), service.starttls ? "+starttls" : "");
		first = false;
	}
}

void
config_list_to_text(
    const struct config *c, enum config_key key, const char *separator, struct buf *out)
{
	const void *member = config_member_const(c, key);
	enum config_kind kind = config_entries[key].kind;

	if (kind == CONFIG_KIND_INTERFACES || kind == CONFIG_KIND_HOSTS)
		texts_to_text(member, separator, out);
	else if (kind == CONFIG_KIND_PORTS)
		ports_to_text(member, separator, out);
	else if (kind == CONFIG_KIND_NETWORKS)
		networks_to_text(member, separator, out);
	else
		services_to_text(member, separator, out);
}
