/* What is known of a client besides its handshakes: what it is, whose it is, when it comes. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "event/device_name.h"
#include "policy/printable.h"
#include "report/report_internal.h"

#include "base/banned.h"

/* NULL stays NULL, and "" becomes it. */
static char *
printable_copy(const char *from)
{
	struct buf text = { 0 };
	char *copy;

	if (from == NULL || from[0] == '\0')
		return NULL;
	printable_add(&text, span_from_text(from), EVENT_NAME_MAX);
	copy = xstrdup(buf_text(&text));
	buf_release(&text);
	return copy;
}

void
report_device_fill(const struct store_client *from, struct report_client *c)
{
	c->has_mac = from->has_mac && !from->is_routers_mac;
	c->has_router_mac = from->has_mac && from->is_routers_mac;
	memcpy(c->mac, from->mac, sizeof(c->mac));
	c->cadence = printable_copy(from->cadence);
	c->interval_us = from->interval_us;
	c->active_hours = printable_copy(from->active_hours);
}

void
report_device_release(struct report_client *c)
{
	free(c->vendor);
	free(c->owner);
	free(c->note);
	free(c->cadence);
	free(c->active_hours);
}

bool
report_is_named(const struct report_client *c)
{
	return c->name != NULL && (c->name_source == NAME_SOURCE_LIST ||
				      !device_name_says_nothing(span_from_text(c->name)));
}

void
report_name_client(struct report_client *c, const char *name, enum name_source source)
{
	char *copy = printable_copy(name);

	if (copy == NULL)
		return;
	free(c->name);
	c->name = copy;
	c->name_source = source;
}

static void
join_owner(struct report_client *c, const struct owner *owner)
{
	if (owner->name != NULL && (!owner->is_network || !report_is_named(c)))
		report_name_client(c, owner->name, NAME_SOURCE_LIST);
	c->owner = printable_copy(owner->owner);
	c->note = printable_copy(owner->note);
}

void
report_join_devices(struct report *r, const struct vendors *vendors, const struct owners *owners)
{
	for (size_t i = 0; i < r->client_count; i++) {
		struct report_client *c = &r->clients[i];
		const struct owner *owner = owners != NULL ? owners_find(owners, &c->ip) : NULL;

		if (vendors != NULL && c->has_mac && !mac_is_made_up(c->mac))
			c->vendor = printable_copy(vendors_find(vendors, c->mac));
		if (owner != NULL)
			join_owner(c, owner);
	}
}

static void
add_mac(struct buf *out, const uint8_t mac[6])
{
	for (int i = 0; i < 6; i++)
		buf_addf(out, "%s%02x", i > 0 ? ":" : "", mac[i]);
}

static void
add_separator(struct buf *out)
{
	buf_add_text(out, out->len > 0 ? ", " : "");
}

static void
add_address(const struct report_client *c, struct buf *out)
{
	if (!c->has_mac && !c->has_router_mac)
		return;
	add_separator(out);
	buf_add_text(out, c->has_mac ? "MAC " : "behind a router (MAC ");
	add_mac(out, c->mac);
	if (c->has_router_mac)
		buf_add_char(out, ')');
	else if (c->vendor != NULL)
		buf_addf(out, " (%s)", c->vendor);
	else if (mac_is_made_up(c->mac))
		buf_add_text(out, " (made up by the device: no vendor)");
}

void
report_add_device(const struct report_client *c, struct buf *out)
{
	const char *source = name_source_name(c->name_source);

	if (c->name != NULL &&
	    (c->name_source == NAME_SOURCE_LIST || c->name_source == NAME_SOURCE_REVERSE_DNS))
		buf_addf(out, "%s (%s)", c->name, source);
	else if (c->name != NULL)
		buf_addf(out, "calls itself %s (%s)", c->name, source != NULL ? source : "?");
	if (c->owner != NULL) {
		add_separator(out);
		buf_addf(out, "owner %s", c->owner);
	}
	if (c->note != NULL) {
		add_separator(out);
		buf_add_text(out, c->note);
	}
	add_address(c, out);
	if (c->cadence != NULL) {
		add_separator(out);
		buf_addf(out, "comes %s", c->cadence);
	}
}
