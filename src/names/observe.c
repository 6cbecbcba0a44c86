#include "names/observe.h"

#include <stddef.h>
#include <string.h>

#include "base/short_copy.h"
#include "names/dhcp.h"
#include "names/dns.h"
#include "names/nbns.h"

#include "base/banned.h"

#define PORT_DNS 53
#define PORT_NBNS 137
#define PORT_MDNS 5353

/* A message with less is no answer: a header, a question, a record. */
#define DNS_ANSWER_LEN_MIN 30

_Static_assert(NAME_SEEN_MAX >= DNS_NAME_MAX, "room");
_Static_assert(NAME_SEEN_MAX >= DHCP_NAME_MAX, "room");

struct output {
	name_seen_fn fn;
	void *arg;
	struct name_seen seen; /* kind, time and client are set */
};

void
name_seen_copy(struct name_seen *to, const struct name_seen *from)
{
	memcpy(to, from, offsetof(struct name_seen, name));
	short_copy(to->name, from->name, from->name_len);
}

static void
set_name(struct name_seen *seen, const char *name, uint8_t len)
{
	seen->name_len = len;
	memcpy(seen->name, name, len);
}

/* RFC 2181, section 5: a record that is there twice says nothing more. */
static bool
is_same(const struct dns_address *a, const struct dns_address *b)
{
	return a->ttl == b->ttl && addr_equals(&a->addr, &b->addr);
}

static void
put_addresses(struct output *out, const struct dns_addresses *a)
{
	set_name(&out->seen, a->name.text, a->name.len);
	for (size_t i = 0; i < a->count; i++) {
		const struct dns_address *item = &a->items[i];

		if (i > 0 && is_same(item, &a->items[i - 1]))
			continue;
		out->seen.addr = item->addr;
		out->seen.ttl = item->ttl;
		out->fn(out->arg, &out->seen);
	}
}

static bool
observe_dns(struct span message, struct output *out)
{
	struct dns_addresses addresses;

	if (!dns_answer_parse(message, &addresses))
		return false;
	put_addresses(out, &addresses);
	return true;
}

/*
 * Messages with their lengths in front, the last one open; some servers send the length in a
 * segment of its own, so that the next one begins with the message.
 */
static void
observe_dns_segment(struct span s, struct output *out)
{
	struct span whole = s, message;
	uint16_t len;
	bool any = false;

	while (s.len >= 2 && span_read_u16(&s, &len) && len >= DNS_ANSWER_LEN_MIN) {
		message = span_first(s, len);
		any = observe_dns(message, out) || any;
		if (!span_skip(&s, len))
			break;
	}
	if (!any)
		(void)observe_dns(whole, out);
}

static void
observe_dhcp(struct span payload, struct output *out)
{
	struct dhcp_facts facts;

	if (!dhcp_parse(payload, &facts))
		return;
	memcpy(out->seen.mac, facts.mac, sizeof(facts.mac));
	out->seen.addr = facts.addr;
	out->seen.ttl = facts.lease_time;
	out->seen.from_server = facts.is_reply;
	set_name(&out->seen, facts.name, facts.name_len);
	out->fn(out->arg, &out->seen);
}

static void
observe_mdns(struct span payload, struct output *out)
{
	struct dns_addresses addresses;

	if (dns_announcement_parse(payload, &addresses))
		put_addresses(out, &addresses);
}

static void
observe_nbns(struct span payload, struct output *out)
{
	struct nbns_claim claim;

	if (!nbns_parse(payload, &claim))
		return;
	out->seen.addr = claim.addr;
	set_name(&out->seen, claim.name, claim.name_len);
	out->fn(out->arg, &out->seen);
}

void
names_observe(const struct name_packet *packet, name_seen_fn fn, void *arg)
{
	struct output out;

	/* The room for a name is written when there is one. */
	memset(&out, 0, offsetof(struct output, seen.name));
	out.fn = fn;
	out.arg = arg;
	out.seen.time_us = packet->time_us;
	out.seen.client = packet->dst;
	if (packet->tcp) {
		out.seen.kind = NAME_SEEN_DNS;
		observe_dns_segment(packet->payload, &out);
	} else if (packet->src_port == PORT_DNS) {
		out.seen.kind = NAME_SEEN_DNS;
		(void)observe_dns(packet->payload, &out);
	} else if (packet->src_port == PORT_MDNS) {
		out.seen.kind = NAME_SEEN_MDNS;
		observe_mdns(packet->payload, &out);
	} else if (packet->dst_port == PORT_NBNS) {
		out.seen.kind = NAME_SEEN_NBNS;
		observe_nbns(packet->payload, &out);
	} else {
		out.seen.kind = NAME_SEEN_DHCP;
		observe_dhcp(packet->payload, &out);
	}
}
