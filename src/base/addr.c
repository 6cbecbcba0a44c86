#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"
#include "base/xalloc.h"

#include "base/banned.h"

int
addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

#define V4_MAPPED_BITS 96

bool
addr_unmap_v4(struct addr *a)
{
	static const uint8_t prefix[V4_MAPPED_BITS / 8] = { [10] = 0xff, [11] = 0xff };

	if (a->family != 6 || memcmp(a->bytes, prefix, sizeof(prefix)) != 0)
		return false;
	*a = addr_from_v4(a->bytes + sizeof(prefix));
	return true;
}

static char *
put_v4(char *out, const uint8_t bytes[4])
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*out++ = '.';
		out = digits_put_small(out, bytes[i]);
	}
	return out;
}

#define V6_WORDS 8

/* The words that "::" stands for: `count` of them from word `first` on; 0: none. */
struct zeros {
	int first, count;
};

/* RFC 5952, section 4.2: the longest run of two or more zero words; of equal ones the first. */
static struct zeros
find_zeros(const unsigned words[V6_WORDS])
{
	struct zeros best = { 0, 1 }, now = { 0, 0 };

	for (int i = 0; i < V6_WORDS; i++) {
		if (words[i] != 0) {
			now.count = 0;
			continue;
		}
		if (now.count++ == 0)
			now.first = i;
		if (now.count > best.count)
			best = now;
	}
	return best.count >= 2 ? best : (struct zeros){ 0, 0 };
}

/* RFC 5952, section 5: an IPv4 address inside, mapped or compatible, is written as one. */
static bool
embeds_v4(const unsigned words[V6_WORDS], struct zeros zeros)
{
	return zeros.first == 0 && (zeros.count == 6 || (zeros.count == 5 && words[5] == 0xffff));
}

static char *
put_hex(char *out, unsigned word)
{
	static const char digits[] = "0123456789abcdef";

	if (word >= 0x1000)
		*out++ = digits[word >> 12];
	if (word >= 0x100)
		*out++ = digits[word >> 8 & 15];
	if (word >= 0x10)
		*out++ = digits[word >> 4 & 15];
	*out++ = digits[word & 15];
	return out;
}

static char *
put_v6(char *out, const uint8_t bytes[16])
{
	unsigned words[V6_WORDS];
	struct zeros zeros;
	int i = 0, end = V6_WORDS;

	for (int k = 0; k < V6_WORDS; k++)
		words[k] = (unsigned)bytes[2 * k] << 8 | bytes[2 * k + 1];
	zeros = find_zeros(words);
	if (embeds_v4(words, zeros))
		end = 6;
	while (i < end) {
		if (i > 0)
			*out++ = ':';
		if (zeros.count > 0 && i == zeros.first) {
			i += zeros.count;
			if (i == zeros.count)
				*out++ = ':';
			if (i == V6_WORDS)
				*out++ = ':';
		} else {
			out = put_hex(out, words[i++]);
		}
	}
	if (end == V6_WORDS)
		return out;
	*out++ = ':';
	return put_v4(out, bytes + 12);
}

char *
addr_put(char *out, const struct addr *a)
{
	switch (a->family) {
	case 4:
		return put_v4(out, a->bytes);
	case 6:
		return put_v6(out, a->bytes);
	default:
		return out;
	}
}

const char *
addr_to_text(const struct addr *a, char out[ADDR_TEXT_LEN])
{
	*addr_put(out, a) = '\0';
	return out;
}

bool
addr_from_text(const char *text, struct addr *out)
{
	struct addr a = { 0 };

	if (inet_pton(AF_INET, text, a.bytes) == 1) {
		a.family = 4;
	} else {
		memset(a.bytes, 0, sizeof(a.bytes));
		if (inet_pton(AF_INET6, text, a.bytes) != 1)
			return false;
		a.family = 6;
	}
	*out = a;
	return true;
}

static void
clear_host_bits(struct network *net)
{
	for (unsigned bit = net->prefix_len; bit < 128; bit++)
		net->addr.bytes[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
}

/*
 * "::ffff:10.0.0.0/104" means the IPv4 network.  False where the prefix ends before the IPv4
 * address begins.
 */
static bool
unmap_v4(struct network *net)
{
	if (!addr_unmap_v4(&net->addr))
		return true;
	if (net->prefix_len < V4_MAPPED_BITS)
		return false;
	net->prefix_len -= V4_MAPPED_BITS;
	return true;
}

bool
network_from_text(const char *text, struct network *out)
{
	struct network net = { 0 };
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char addr[ADDR_TEXT_LEN];
	unsigned max;

	if (len >= sizeof(addr))
		return false;
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (!addr_from_text(addr, &net.addr))
		return false;
	max = net.addr.family == 4 ? 32 : 128;
	net.prefix_len = max;
	if (slash != NULL) {
		char *end;
		unsigned long prefix;

		if (slash[1] < '0' || slash[1] > '9')
			return false;
		prefix = strtoul(slash + 1, &end, 10);
		if (*end != '\0' || prefix > max)
			return false;
		net.prefix_len = (unsigned)prefix;
	}
	if (!unmap_v4(&net))
		return false;
	clear_host_bits(&net);
	*out = net;
	return true;
}

/*
 * RFC 4291, section 2.5.5.2: an address that is mapped into IPv6 is that of an IPv4 node.
 * Translators put such into packets (RFC 2765, section 2.1).
 */
static bool
contains_mapped(const struct network *net, const struct addr *a)
{
	struct addr plain = *a;

	return addr_unmap_v4(&plain) && net->addr.family == 4 && network_contains(net, &plain);
}

bool
network_contains(const struct network *net, const struct addr *a)
{
	unsigned whole = net->prefix_len / 8, rest = net->prefix_len % 8;

	if (net->addr.family != a->family)
		return contains_mapped(net, a);
	/* The first byte alone tells most networks apart. */
	if ((whole > 0 && net->addr.bytes[0] != a->bytes[0]) ||
	    memcmp(net->addr.bytes, a->bytes, whole) != 0)
		return false;
	return rest == 0 || ((net->addr.bytes[whole] ^ a->bytes[whole]) >> (8 - rest)) == 0;
}

static void
add_network(struct network_set *set, const struct network *net)
{
	set->items = xreallocarray(set->items, set->count + 1, sizeof(*set->items));
	set->items[set->count++] = *net;
}

void
network_set_add_internal_defaults(struct network_set *set)
{
	static const char *const texts[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
		"100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct network net;

		if (network_from_text(texts[i], &net))
			add_network(set, &net);
	}
}

int
network_set_add_text(struct network_set *set, const char *text, struct error *err)
{
	struct network_set found = { 0 };
	const char *p = text;

	for (;;) {
		size_t len = strcspn(p, ",");
		char item[ADDR_TEXT_LEN + 5];
		struct network net;

		(void)snprintf(item, sizeof(item), "%.*s", len < sizeof(item) ? (int)len : 0, p);
		if (strcmp(item, "any") == 0) {
			found.any = true;
		} else if (network_from_text(item, &net)) {
			add_network(&found, &net);
		} else {
			error_set(err,
			    "'%.*s' is no network: give addresses or networks such as "
			    "10.0.0.0/8 or 2001:db8::/32, with commas between them, or any",
			    len < 80 ? (int)len : 80, p);
			network_set_release(&found);
			return -1;
		}
		if (p[len] == '\0')
			break;
		p += len + 1;
	}
	for (size_t i = 0; i < found.count; i++)
		add_network(set, &found.items[i]);
	set->any = set->any || found.any;
	network_set_release(&found);
	return 0;
}

bool
network_set_contains(const struct network_set *set, const struct addr *a)
{
	if (set->any)
		return true;
	for (size_t i = 0; i < set->count; i++) {
		if (network_contains(&set->items[i], a))
			return true;
	}
	return false;
}

void
network_set_release(struct network_set *set)
{
	free(set->items);
	*set = (struct network_set){ 0 };
}
