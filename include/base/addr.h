/*
 * addr - an IPv4 or IPv6 address, and networks of them.
 *
 * Text is RFC 5952 for IPv6 and dotted decimal for IPv4.
 */
#ifndef TLSTALLY_BASE_ADDR_H
#define TLSTALLY_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

#define ADDR_TEXT_LEN 46 /* longest text with its NUL */

struct addr {
	uint8_t family;    /* 4 or 6; 0: none */
	uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest is zero */
};

struct network {
	struct addr addr;
	unsigned prefix_len; /* 0 to 32 or 128 */
};

/* A list of networks; `any` holds every address. */
struct network_set {
	struct network *items; /* owned */
	size_t count;
	bool any;
};

/* In place: for what happens once per packet. */
static inline void
addr_set_v4(struct addr *a, const uint8_t bytes[4])
{
	a->family = 4;
	memcpy(a->bytes, bytes, 4);
	memset(a->bytes + 4, 0, 12);
}

static inline void
addr_set_v6(struct addr *a, const uint8_t bytes[16])
{
	a->family = 6;
	memcpy(a->bytes, bytes, 16);
}

static inline struct addr
addr_from_v4(const uint8_t bytes[4])
{
	struct addr a;

	addr_set_v4(&a, bytes);
	return a;
}

static inline struct addr
addr_from_v6(const uint8_t bytes[16])
{
	struct addr a;

	addr_set_v6(&a, bytes);
	return a;
}

static inline bool
addr_equals(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Order for stable output: IPv4 before IPv6, then by value; <0, 0, >0. */
int addr_compare(const struct addr *a, const struct addr *b);
/* Writes the text and returns `out`; "" for family 0. */
const char *addr_to_text(const struct addr *a, char out[ADDR_TEXT_LEN]);
/* The same without a NUL; returns where it ends. */
char *addr_put(char *out, const struct addr *a);
bool addr_from_text(const char *text, struct addr *out);
/* RFC 4291, section 2.5.5.2: ::ffff:192.0.2.1 becomes 192.0.2.1; false: it is no such address. */
bool addr_unmap_v4(struct addr *a);

/*
 * "10.0.0.0/8" or a bare address.  False for anything else; host bits are cleared.  An IPv4 address
 * that is mapped into IPv6 gives an IPv4 network.
 */
bool network_from_text(const char *text, struct network *out);
/* An IPv4 network also holds its addresses in the form that is mapped into IPv6. */
bool network_contains(const struct network *net, const struct addr *a);

/* RFC 1918, 100.64.0.0/10, 169.254.0.0/16, 127.0.0.0/8, fc00::/7, fe80::/10, ::1. */
void network_set_add_internal_defaults(struct network_set *set);
/* A comma-separated list of networks, or "any".  Returns -1 and names the bad one; `set` unchanged.
 */
int network_set_add_text(struct network_set *set, const char *text, struct error *err);
bool network_set_contains(const struct network_set *set, const struct addr *a);
void network_set_release(struct network_set *set);

#endif
