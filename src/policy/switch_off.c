#include "policy/switch_off.h"

#include <stdlib.h>
#include <string.h>

#include "base/hostname.h"
#include "base/xalloc.h"
#include "policy/switch_off_internal.h"

#include "base/banned.h"

#define TAIL_LEN 8

struct switch_off *
switch_off_new(void)
{
	return xcalloc(1, sizeof(struct switch_off));
}

void
switch_off_free(struct switch_off *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->entry_count; i++)
		free(s->entries[i].name);
	for (size_t i = 0; i < s->host_count; i++)
		free(s->hosts[i].name);
	free(s->entries);
	free(s->hosts);
	free(s->networks);
	free(s);
}

/* Room for one more, in steps that double. */
static void *
grow(void *items, size_t count, size_t item_len)
{
	if (count > 0 && (count & (count - 1)) != 0)
		return items;
	return xreallocarray(items, count == 0 ? 1 : 2 * count, item_len);
}

size_t
switch_off_take_entry(struct switch_off *s, struct switch_off_entry entry)
{
	s->entries = grow(s->entries, s->entry_count, sizeof(*s->entries));
	s->entries[s->entry_count] = entry;
	return s->entry_count++;
}

/* A bit for the last TAIL_LEN characters before `end`; upper and lower case are the same. */
static uint32_t
tail_bit(const char *end)
{
	uint64_t tail;

	memcpy(&tail, end - TAIL_LEN, TAIL_LEN);
	/* No keyed hash is needed: nobody gains anything by a collision. */
	tail = (tail | UINT64_C(0x2020202020202020)) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(tail >> 32) % SWITCH_OFF_TAIL_BITS;
}

/* False: no host of the list is this one, or a wildcard above it. */
static bool
may_have_host(const struct switch_off *s, struct span name)
{
	uint32_t bit;

	if (name.len < TAIL_LEN || s->has_short_host)
		return true;
	bit = tail_bit((const char *)name.data + name.len);
	return (s->tails[bit / 64] >> bit % 64 & 1) != 0;
}

/* `host` as it is, or what is behind "*.": then a dot is before it. */
static void
add_tail(struct switch_off *s, const char *host)
{
	char text[HOSTNAME_LEN_MAX + 2];
	size_t len = strlen(host);
	uint32_t bit;

	if (len + 1 < TAIL_LEN || len > HOSTNAME_LEN_MAX) {
		s->has_short_host = true;
		return;
	}
	text[0] = '.';
	memcpy(text + 1, host, len + 1);
	bit = tail_bit(text + 1 + len);
	s->tails[bit / 64] |= UINT64_C(1) << bit % 64;
}

void
switch_off_put_host(struct switch_off *s, size_t entry, const char *host, bool legacy)
{
	bool wildcard = strncmp(host, "*.", 2) == 0;

	add_tail(s, wildcard ? host + 2 : host);
	s->hosts = grow(s->hosts, s->host_count, sizeof(*s->hosts));
	s->hosts[s->host_count++] = (struct switch_off_host){
		.name = xstrdup(wildcard ? host + 2 : host),
		.wildcard = wildcard,
		.legacy_endpoint = legacy,
		.entry = entry,
	};
}

static unsigned
head_of(const struct addr *a)
{
	return (unsigned)(a->bytes[0] << 8 | a->bytes[1]) >> (16 - SWITCH_OFF_HEAD_LEN);
}

/* A wide network has several heads; its own host bits are cleared. */
static void
add_heads(struct switch_off *s, const struct network *network)
{
	uint64_t *heads = s->heads[network->addr.family == 6];
	unsigned first = head_of(&network->addr), count = 1;

	if (network->prefix_len < SWITCH_OFF_HEAD_LEN)
		count <<= SWITCH_OFF_HEAD_LEN - network->prefix_len;
	for (unsigned head = first; head < first + count; head++)
		heads[head / 64] |= UINT64_C(1) << head % 64;
}

static bool
has_head(const struct switch_off *s, const struct addr *a)
{
	unsigned head = head_of(a);

	return (s->heads[a->family == 6][head / 64] >> head % 64 & 1) != 0;
}

/* False: the address is in no network of the list, in none of its forms. */
static bool
may_have_address(const struct switch_off *s, const struct addr *a)
{
	struct addr plain = *a;

	return has_head(s, a) || (addr_unmap_v4(&plain) && has_head(s, &plain));
}

void
switch_off_put_network(struct switch_off *s, size_t entry, const struct network *network)
{
	add_heads(s, network);
	s->networks = grow(s->networks, s->network_count, sizeof(*s->networks));
	s->networks[s->network_count++] = (struct switch_off_network){ *network, entry };
}

static int
compare_hosts(const void *a, const void *b)
{
	const struct switch_off_host *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order != 0)
		return order;
	if (x->wildcard != y->wildcard)
		return x->wildcard ? 1 : -1;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

void
switch_off_sort(struct switch_off *s)
{
	if (s->host_count > 0)
		qsort(s->hosts, s->host_count, sizeof(*s->hosts), compare_hosts);
}

/* The user says that it is switched off; when, and what exactly, is the user's to know. */
static size_t
own_entry(struct switch_off *s)
{
	if (s->own == 0)
		s->own = 1 + switch_off_take_entry(s, (struct switch_off_entry){
							  .name = xstrdup(SWITCH_OFF_OWN),
							  .below = UINT16_MAX,
						      });
	return s->own - 1;
}

void
switch_off_add_host(struct switch_off *s, const char *host)
{
	switch_off_put_host(s, own_entry(s), host, false);
	hostname_to_lower(s->hosts[s->host_count - 1].name);
	switch_off_sort(s);
}

void
switch_off_add_networks(struct switch_off *s, const struct network_set *networks)
{
	for (size_t i = 0; i < networks->count; i++)
		switch_off_put_network(s, own_entry(s), &networks->items[i]);
}

static bool
has_protocol(const struct switch_off_entry *e, enum protocol protocol)
{
	return e->protocols == 0 || (e->protocols & 1U << protocol) != 0;
}

static bool
has_port(const struct switch_off_entry *e, uint16_t port)
{
	for (size_t i = 0; i < e->port_count; i++) {
		if (e->ports[i] == port)
			return true;
	}
	return e->port_count == 0;
}

static void
set_match(const struct switch_off_entry *e, struct switch_off_match *out)
{
	*out = (struct switch_off_match){
		.service = e->name,
		.below = e->below,
		.has_date = e->has_date,
		.date_us = e->date_us,
		.has_version = e->has_version,
		.version_us = e->version_us,
	};
}

/* What is looked for. */
struct wanted {
	enum protocol protocol;
	uint16_t port;
	bool own; /* among the configuration's servers alone */
};

static bool
is_wanted(const struct switch_off *s, size_t entry, const struct wanted *w)
{
	return has_protocol(&s->entries[entry], w->protocol) && (!w->own || s->own == entry + 1);
}

/* The first host of that name and kind whose service is wanted; NULL: none. */
static const struct switch_off_host *
find_host(const struct switch_off *s, const char *name, bool wildcard, const struct wanted *w)
{
	size_t low = 0, high = s->host_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct switch_off_host *h = &s->hosts[middle];
		int order = strcmp(h->name, name);

		if (order < 0 || (order == 0 && !h->wildcard && wildcard))
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < s->host_count; low++) {
		const struct switch_off_host *h = &s->hosts[low];

		if (h->wildcard != wildcard || strcmp(h->name, name) != 0)
			return NULL;
		if (is_wanted(s, h->entry, w))
			return h;
	}
	return NULL;
}

static bool
find_by_name(const struct switch_off *s, const char *name, const struct wanted *w,
    struct switch_off_match *out)
{
	const struct switch_off_host *h = find_host(s, name, false, w);

	/* The nearest name above says most. */
	for (const char *dot = name; h == NULL && (dot = strchr(dot, '.')) != NULL;) {
		dot++;
		h = find_host(s, dot, true, w);
	}
	if (h == NULL)
		return false;
	set_match(&s->entries[h->entry], out);
	out->legacy_endpoint = h->legacy_endpoint;
	return true;
}

/* RFC 6052, section 2.1: by 64:ff9b::192.0.2.1 NAT64 reaches servers that have IPv4 only. */
static struct addr
behind_nat64(const struct addr *a)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	struct addr plain = *a;

	if (a->family == 6 && memcmp(a->bytes, nat64, sizeof(nat64)) == 0)
		addr_set_v4(&plain, a->bytes + sizeof(nat64));
	return plain;
}

static bool
find_in_networks(const struct switch_off *s, const struct addr *address, const struct wanted *w,
    struct switch_off_match *out)
{
	if (!may_have_address(s, address))
		return false;
	for (size_t i = 0; i < s->network_count; i++) {
		const struct switch_off_entry *e = &s->entries[s->networks[i].entry];

		if (!network_contains(&s->networks[i].network, address) ||
		    !is_wanted(s, s->networks[i].entry, w) || !has_port(e, w->port))
			continue;
		set_match(e, out);
		out->by_address = true;
		return true;
	}
	return false;
}

/* As it stands, too: a network may have been given in the form that it has behind NAT64. */
static bool
find_by_address(const struct switch_off *s, const struct addr *address, const struct wanted *w,
    struct switch_off_match *out)
{
	struct addr plain = behind_nat64(address);

	return find_in_networks(s, &plain, w, out) ||
	       (plain.family != address->family && find_in_networks(s, address, w, out));
}

static bool
find(const struct switch_off *s, struct span name, const struct addr *address,
    const struct wanted *w, struct switch_off_match *out)
{
	char text[HOSTNAME_LEN_MAX + 1];

	/* RFC 1034, section 3.1: the dot at the end is the root's. */
	if (name.len > 0 && name.data[name.len - 1] == '.')
		name.len--;
	if (name.len == 0)
		return address->family != 0 && find_by_address(s, address, w, out);
	if (name.len >= sizeof(text) || !may_have_host(s, name) ||
	    memchr(name.data, '\0', name.len) != NULL)
		return false;
	memcpy(text, name.data, name.len);
	text[name.len] = '\0';
	hostname_to_lower(text);
	return find_by_name(s, text, w, out);
}

bool
switch_off_find(const struct switch_off *s, struct span name, const struct addr *address,
    uint16_t port, enum protocol protocol, struct switch_off_match *out)
{
	struct wanted wanted = { .protocol = protocol, .port = port };
	struct switch_off_match own;

	if (!find(s, name, address, &wanted, out))
		return false;
	wanted.own = true;
	out->own = s->own != 0 && find(s, name, address, &wanted, &own);
	return true;
}

/* Whether one of the last TAIL_LEN characters is a colon. */
static bool
has_colon_at_end(const struct event_text *name)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t tail;

	memcpy(&tail, name->data + name->len - TAIL_LEN, TAIL_LEN);
	tail ^= ones * ':';
	return ((tail - ones) & ~tail & ones << 7) != 0;
}

static bool
is_address(const struct event_text *name)
{
	char text[ADDR_TEXT_LEN], last;
	struct addr addr;

	/* The quick test first: an address ends with a digit, or has a colon. */
	if (name->len >= sizeof(text) || name->len == 0)
		return false;
	last = name->data[name->len - 1];
	if ((last < '0' || last > '9') && memchr(name->data, ':', name->len) == NULL)
		return false;
	memcpy(text, name->data, name->len);
	text[name->len] = '\0';
	return addr_from_text(text, &addr);
}

static bool
find_server(const struct switch_off *s, const struct finding *f, const struct wanted *w,
    struct switch_off_match *out)
{
	const struct finding_key *k = &f->key;
	const struct span unnamed = { 0 };

	/* A client may write an address where a name belongs. */
	if (is_address(&k->server))
		return find(s, unnamed, &f->server_ip, w, out);
	if (find(s, event_text_span(&k->server), &f->server_ip, w, out))
		return true;
	/* A certificate has one of many names, and not always the one that the client meant. */
	return f->server_name_source == NAME_SOURCE_CERTIFICATE &&
	       find(s, unnamed, &f->server_ip, w, out);
}

/*
 * The quick answer for most servers: the name is no address, and no host of the list has its end.
 */
static bool
is_elsewhere(const struct switch_off *s, const struct finding *f)
{
	const struct event_text *name = &f->key.server;
	char last;

	if (name->len < TAIL_LEN || f->server_name_source == NAME_SOURCE_CERTIFICATE)
		return false;
	last = name->data[name->len - 1];
	/* An address ends with a decimal digit, or with a colon and four digits at most. */
	return last != '.' && (last < '0' || last > '9') && !has_colon_at_end(name) &&
	       !may_have_host(s, event_text_span(name));
}

bool
switch_off_find_server(
    const struct switch_off *s, const struct finding *f, struct switch_off_match *out)
{
	struct wanted wanted = { .protocol = f->key.protocol, .port = f->key.server_port };
	struct switch_off_match own;

	if (s == NULL || is_elsewhere(s, f) || !find_server(s, f, &wanted, out))
		return false;
	wanted.own = true;
	out->own = s->own != 0 && find_server(s, f, &wanted, &own);
	return true;
}

size_t
switch_off_service_count(const struct switch_off *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->entry_count; i++)
		count += s->entries[i].from_file;
	return count;
}

bool
switch_off_oldest(const struct switch_off *s, int64_t *version_us)
{
	bool found = false;

	for (size_t i = 0; i < s->entry_count; i++) {
		const struct switch_off_entry *e = &s->entries[i];

		if (!e->has_version || (found && e->version_us >= *version_us))
			continue;
		*version_us = e->version_us;
		found = true;
	}
	return found;
}
