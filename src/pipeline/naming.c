#include "pipeline/naming.h"

#include <stdlib.h>
#include <string.h>

#include "base/short_copy.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "event/device_name.h"
#include "names/name_cache.h"

#include "base/banned.h"

/*
 * Kept apart, so that names of web servers, which pass by as well, do not push out those of
 * devices.  Enough for 90,000 pairs of an IPv6 server and a client that asked for it, and for
 * 40,000 devices.
 */
#define SERVER_BYTES_MAX ((size_t)12 << 20)
#define DEVICE_BYTES_MAX (NAMING_BYTES_MAX - SERVER_BYTES_MAX)

/* Devices ask once, at their start, and keep the answer whatever its TTL says. */
#define DNS_HOLDS_MIN_US USEC_PER_DAY
#define DNS_HOLDS_MAX_US (7 * USEC_PER_DAY)
/* A certificate changes seldom; a second name within this time makes an address ambiguous. */
#define CERTIFICATE_HOLDS_US (7 * USEC_PER_DAY)
#define DEVICE_HOLDS_US (7 * USEC_PER_DAY)
/* A lease may be renewed by unicast, out of sight. */
#define LEASE_HOLDS_MIN_US (2 * USEC_PER_DAY)

/* What a device calls itself counts for more than what the DHCP server makes of it. */
enum { RANK_OWN_WORD, RANK_SERVERS_WORD };

/* An answer is learned for the client that asked, and for all. */
#define LESSONS_PER_ANSWER 2

enum key_kind {
	KEY_PAIR,        /* client, server: what this client asked for */
	KEY_SERVER,      /* server: what anyone asked for */
	KEY_CERTIFICATE, /* server and port */
	KEY_DEVICE,      /* address of a device */
	KEY_MAC,         /* of a device */
	KEY_LEASE,       /* address of a device: its MAC address, as it was given by DHCP */
	KEY_BEHIND,      /* MAC: the address of a client that came from it */
};

/* DNS answers that nobody has needed yet: they go into `servers` together. */
struct waiting {
	struct name_lesson lessons[NAME_LESSONS_MAX];
	size_t count;
	uint8_t names[NAME_LESSONS_MAX / LESSONS_PER_ANSWER][NAME_SEEN_MAX];
};

struct naming {
	struct name_cache *servers, *devices;
	struct waiting waiting;
};

static void
learn_waiting(struct naming *n)
{
	name_cache_learn_many(n->servers, n->waiting.lessons, n->waiting.count);
	n->waiting.count = 0;
}

struct naming *
naming_new(void)
{
	struct naming *n = xcalloc(1, sizeof(*n));

	n->servers = name_cache_new(SERVER_BYTES_MAX);
	n->devices = name_cache_new(DEVICE_BYTES_MAX);
	return n;
}

void
naming_free(struct naming *n)
{
	if (n == NULL)
		return;
	name_cache_free(n->servers);
	name_cache_free(n->devices);
	free(n);
}

static struct name_key
address_key(enum key_kind kind, const struct addr *a)
{
	struct name_key key = { .kind = (uint8_t)kind };

	key.a = *a;
	return key;
}

static struct name_key
pair_key(const struct addr *client, const struct addr *server)
{
	struct name_key key = address_key(KEY_PAIR, client);

	key.b = *server;
	return key;
}

static struct name_key
certificate_key(const struct event *ev)
{
	struct name_key key = address_key(KEY_CERTIFICATE, &ev->server_ip);

	key.port = ev->server_port;
	return key;
}

static struct name_key
mac_key(enum key_kind kind, const uint8_t mac[6])
{
	struct name_key key = { .kind = (uint8_t)kind };

	memcpy(key.mac, mac, sizeof(key.mac));
	return key;
}

static int64_t
holds_until(int64_t time_us, uint32_t ttl, int64_t min_us, int64_t max_us)
{
	int64_t holds_us = 2 * (int64_t)ttl * USEC_PER_SEC;

	if (holds_us < min_us)
		holds_us = min_us;
	return time_us + (holds_us < max_us ? holds_us : max_us);
}

/* Written in place: to copy a whole lesson would cost more than everything else here. */
static void
put_lesson(struct waiting *w, enum key_kind kind, const struct name_seen *seen, const uint8_t *name)
{
	struct name_lesson *l = &w->lessons[w->count++];

	memset(&l->key, 0, sizeof(l->key));
	l->key.kind = (uint8_t)kind;
	if (kind == KEY_PAIR) {
		l->key.a = seen->client;
		l->key.b = seen->addr;
	} else {
		l->key.a = seen->addr;
	}
	l->name = span_from(name, seen->name_len);
	l->rank = NAME_SOURCE_DNS;
	l->time_us = seen->time_us;
	l->until_us = holds_until(seen->time_us, seen->ttl, DNS_HOLDS_MIN_US, DNS_HOLDS_MAX_US);
}

/* The addresses of one answer have the same name, which is then kept once. */
static const uint8_t *
keep_name(struct waiting *w, const struct name_seen *seen)
{
	struct span name = span_from(seen->name, seen->name_len);
	uint8_t *place = w->names[w->count / LESSONS_PER_ANSWER];

	if (w->count > 0 && span_equals(w->lessons[w->count - 1].name, name))
		return w->lessons[w->count - 1].name.data;
	short_copy(place, name.data, name.len);
	return place;
}

static void
learn_dns(struct naming *n, const struct name_seen *seen)
{
	struct waiting *w = &n->waiting;
	const uint8_t *name = keep_name(w, seen);

	put_lesson(w, KEY_PAIR, seen, name);
	put_lesson(w, KEY_SERVER, seen, name);
	if (w->count == NAME_LESSONS_MAX)
		learn_waiting(n);
}

static void
learn(struct name_cache *cache, const struct name_key *key, struct span name, uint8_t rank,
    int64_t time_us, int64_t until_us)
{
	const struct name_lesson lesson = {
		.key = *key,
		.name = name,
		.rank = rank,
		.time_us = time_us,
		.until_us = until_us,
	};

	name_cache_learn(cache, &lesson);
}

static void
learn_dhcp(struct naming *n, const struct name_seen *seen, struct span name)
{
	struct name_key mac = mac_key(KEY_MAC, seen->mac);
	struct name_key lease = address_key(KEY_LEASE, &seen->addr);

	if (name.len > 0)
		learn(n->devices, &mac, name, seen->from_server ? RANK_SERVERS_WORD : RANK_OWN_WORD,
		    seen->time_us, seen->time_us + DEVICE_HOLDS_US);
	if (seen->addr.family != 0)
		learn(n->devices, &lease, span_from(seen->mac, sizeof(seen->mac)), NAME_SOURCE_DHCP,
		    seen->time_us,
		    holds_until(seen->time_us, seen->ttl, LEASE_HOLDS_MIN_US, DEVICE_HOLDS_US));
}

static void
learn_device(
    struct naming *n, const struct name_seen *seen, struct span name, enum name_source source)
{
	struct name_key key = address_key(KEY_DEVICE, &seen->addr);

	learn(n->devices, &key, name, (uint8_t)source, seen->time_us,
	    seen->time_us + DEVICE_HOLDS_US);
}

void
naming_add(struct naming *n, const struct name_seen *seen)
{
	struct span name = span_from(seen->name, seen->name_len);

	switch (seen->kind) {
	case NAME_SEEN_DNS:
		learn_dns(n, seen);
		return;
	case NAME_SEEN_DHCP:
		learn_dhcp(n, seen, name);
		return;
	case NAME_SEEN_MDNS:
		learn_device(n, seen, name, NAME_SOURCE_MDNS);
		return;
	case NAME_SEEN_NBNS:
		learn_device(n, seen, name, NAME_SOURCE_NBNS);
		return;
	}
}

static void
name_server(struct naming *n, struct event *ev)
{
	struct name_key certificate = certificate_key(ev);
	struct name_key pair = pair_key(&ev->client_ip, &ev->server_ip);
	struct name_key server = address_key(KEY_SERVER, &ev->server_ip);
	enum name_source source = NAME_SOURCE_DNS;
	int64_t time_us = ev->timestamp_us;
	struct span name;

	if (n->waiting.count > 0)
		learn_waiting(n);
	if (ev->server_name_source == NAME_SOURCE_CERTIFICATE)
		learn(n->servers, &certificate, event_text_span(&ev->server_name),
		    NAME_SOURCE_CERTIFICATE, time_us, time_us + CERTIFICATE_HOLDS_US);
	if (!name_cache_find(n->servers, &pair, time_us, false, &name, NULL) &&
	    !name_cache_find(n->servers, &server, time_us, true, &name, NULL)) {
		if (ev->server_name_source == NAME_SOURCE_CERTIFICATE ||
		    !name_cache_find(n->servers, &certificate, time_us, true, &name, NULL))
			return;
		source = NAME_SOURCE_CERTIFICATE;
	}
	event_text_set(&ev->server_name, name);
	ev->server_name_source = source;
}

/*
 * Whether one client alone is behind that MAC address: a router's own name is not that of the
 * clients behind it.
 */
static bool
is_alone_behind(struct naming *n, const struct event *ev)
{
	struct name_key key = mac_key(KEY_BEHIND, ev->client_mac);
	int64_t time_us = ev->timestamp_us;
	struct span ignored;

	learn(n->devices, &key, span_from(ev->client_ip.bytes, 16), 0, time_us,
	    time_us + DEVICE_HOLDS_US);
	return name_cache_find(n->devices, &key, time_us, true, &ignored, NULL);
}

static bool
find_by_mac(struct naming *n, const uint8_t mac[6], int64_t time_us, struct span *name)
{
	struct name_key key = mac_key(KEY_MAC, mac);

	return name_cache_find(n->devices, &key, time_us, false, name, NULL);
}

static bool
find_device(struct naming *n, const struct event *ev, struct span *name, uint8_t *source)
{
	struct name_key lease = address_key(KEY_LEASE, &ev->client_ip);
	struct name_key device = address_key(KEY_DEVICE, &ev->client_ip);
	int64_t time_us = ev->timestamp_us;
	struct span mac;

	*source = NAME_SOURCE_DHCP;
	if (name_cache_find(n->devices, &lease, time_us, false, &mac, NULL)) {
		if (find_by_mac(n, mac.data, time_us, name))
			return true;
	} else if (ev->has_client_mac && find_by_mac(n, ev->client_mac, time_us, name) &&
		   is_alone_behind(n, ev) && find_by_mac(n, ev->client_mac, time_us, name)) {
		return true;
	}
	return name_cache_find(n->devices, &device, time_us, false, name, source);
}

static void
name_client(struct naming *n, struct event *ev)
{
	struct span name;
	uint8_t source;

	if (ev->client_name_source == NAME_SOURCE_EHLO &&
	    !device_name_says_nothing(event_text_span(&ev->client_name)))
		return;
	if (name_cache_count(n->devices) == 0 || !find_device(n, ev, &name, &source))
		return;
	event_text_set(&ev->client_name, name);
	ev->client_name_source = (enum name_source)source;
}

void
naming_apply(struct naming *n, struct event *ev)
{
	if (ev->server_name_source == NAME_SOURCE_NONE ||
	    ev->server_name_source == NAME_SOURCE_CERTIFICATE)
		name_server(n, ev);
	/* An end is counted by server alone, and its client was told with its beginning. */
	if (ev->kind != EVENT_SESSION_END)
		name_client(n, ev);
}

size_t
naming_bytes(const struct naming *n)
{
	return name_cache_bytes(n->servers) + name_cache_bytes(n->devices);
}
