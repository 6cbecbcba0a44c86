/*
 * switch_off_internal - the list, for the one that reads files and the one that looks servers up.
 */
#ifndef TLSTALLY_POLICY_SWITCH_OFF_INTERNAL_H
#define TLSTALLY_POLICY_SWITCH_OFF_INTERNAL_H

#include "policy/switch_off.h"

#define SWITCH_OFF_PORTS_MAX 32
#define SWITCH_OFF_TAIL_BITS 4096
/* Bits at the beginning of an address. */
#define SWITCH_OFF_HEAD_LEN 12

struct switch_off_entry {
	char *name;
	bool from_file;
	uint16_t below;     /* 0: nothing is switched off */
	uint32_t protocols; /* bit 1 << enum protocol each; 0: all */
	uint16_t ports[SWITCH_OFF_PORTS_MAX];
	size_t port_count; /* 0: all */
	bool has_date, has_version;
	int64_t date_us, version_us;
};

struct switch_off_host {
	char *name; /* lower case; of a wildcard what is behind "*." */
	bool wildcard, legacy_endpoint;
	size_t entry;
};

struct switch_off_network {
	struct network network;
	size_t entry;
};

struct switch_off {
	struct switch_off_entry *entries;
	struct switch_off_host *hosts; /* in order of name, wildcards last, then entry */
	struct switch_off_network *networks;
	size_t entry_count, host_count, network_count;
	size_t own; /* 1 + the entry of the configuration's servers; 0: none yet */
	/* Bits, by hash, for the last characters of each host: most servers are none of them. */
	uint64_t tails[SWITCH_OFF_TAIL_BITS / 64];
	bool has_short_host; /* too short for that: all have to be looked for */
	/* Bits, by value, for how the addresses of each network begin; IPv4, IPv6. */
	uint64_t heads[2][(1 << SWITCH_OFF_HEAD_LEN) / 64];
};

/* Takes `entry` over, its name included; returns its number. */
size_t switch_off_take_entry(struct switch_off *s, struct switch_off_entry entry);
/* `host` may begin with "*."; switch_off_sort() has to follow. */
void switch_off_put_host(struct switch_off *s, size_t entry, const char *host, bool legacy);
void switch_off_put_network(struct switch_off *s, size_t entry, const struct network *network);
void switch_off_sort(struct switch_off *s);

#endif
