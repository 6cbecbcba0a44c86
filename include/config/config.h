/*
 * config - file and options → one checked, read-only struct.
 *
 * Three layers, each over the one before: what is compiled in, the file, the command line.  The
 * file and the options go through the same checks: an option is the key it overrides, set by
 * config_set().  A scalar takes the value of the highest layer; a list of a higher layer replaces
 * that of a lower one, but services are added to, or changed, one by one (SPEC section 2).
 *
 * In use: config_init_defaults(), config_read_file(), config_set() per option, config_check().  A
 * reload does the same with a fresh struct, then config_compare() says what changed and what of it
 * needs a restart, and config_adopt() takes over the rest.
 *
 * Form:    INI by libinih: `[section]`, `key = value`, comments on lines of their own (# or ;).
 * Memory:  a file of at most CONFIG_FILE_MAX bytes and what is made of it, lists of at most
 *          CONFIG_LIST_MAX entries; struct config has about 80 KiB.
 * Threads: one at a time per struct; any number may read one that nobody changes.
 */
#ifndef TLSTALLY_CONFIG_CONFIG_H
#define TLSTALLY_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/port_list.h"
#include "base/record_form.h"
#include "base/service.h"
#include "base/span.h"

#define CONFIG_DEFAULT_PATH "/etc/tlstally/tlstally.conf"
#define CONFIG_FILE_MAX ((size_t)256 << 10)
#define CONFIG_LINE_MAX 190 /* bytes of a line; libinih's own bound is just above */
#define CONFIG_LIST_MAX 1024
#define CONFIG_SENSOR_NAME_MAX 64
/* Faults beyond these are counted only. */
#define CONFIG_FAULTS_MAX 1000

/* Every key of the file, in the order of its sections. */
enum config_key {
	CONFIG_SENSOR_NAME,
	CONFIG_CAPTURE_INTERFACE,
	CONFIG_CAPTURE_THREADS,
	CONFIG_CAPTURE_BUFFER,
	CONFIG_CAPTURE_SNAP_LENGTH,
	CONFIG_CAPTURE_PROMISCUOUS,
	CONFIG_CAPTURE_TUNNELS,
	CONFIG_CAPTURE_VXLAN_PORT,
	CONFIG_SCOPE_SERVICE,
	CONFIG_SCOPE_INTERNAL,
	CONFIG_SCOPE_NAMES,
	CONFIG_POLICY_MINIMUM,
	CONFIG_POLICY_FALLBACK_WINDOW,
	CONFIG_POLICY_SERVICES_FILE,
	CONFIG_POLICY_SWITCH_OFF_HOST,
	CONFIG_POLICY_SWITCH_OFF_NETWORK,
	CONFIG_STORE_DATABASE,
	CONFIG_STORE_FLUSH_INTERVAL,
	CONFIG_STORE_RETENTION,
	CONFIG_EVENTS_TO,
	CONFIG_EVENTS_AS,
	CONFIG_SESSIONS_DROPPED_WITHIN,
	CONFIG_SESSIONS_DROPPED_BYTES,
	CONFIG_SESSIONS_SHORT_WITHIN,
	CONFIG_SESSIONS_SHORT_BYTES,
	CONFIG_BUDGETS_FLOWS,
	CONFIG_BUDGETS_UNSETTLED_FLOWS,
	CONFIG_BUDGETS_HELD,
	CONFIG_BUDGETS_TALLY,
	CONFIG_DAEMON_USER,
	CONFIG_DAEMON_LOG_LEVEL,
};
#define CONFIG_KEY_COUNT (CONFIG_DAEMON_LOG_LEVEL + 1)

/* From the lowest to the highest. */
enum config_layer { CONFIG_LAYER_DEFAULT, CONFIG_LAYER_FILE, CONFIG_LAYER_OPTION };

/* How versions are written: tls_version_from_text() and tls_version_name(), passed in because this
 * module does not know TLS. */
struct config_versions {
	uint16_t (*from_text)(const char *text); /* 0: no version */
	const char *(*name)(uint16_t version);
};

struct config_texts {
	char **items; /* owned */
	size_t count;
};

struct config_events {
	enum config_events_kind {
		CONFIG_EVENTS_NONE,
		CONFIG_EVENTS_SYSLOG,
		CONFIG_EVENTS_FILE,
	} kind;
	char *path; /* CONFIG_EVENTS_FILE: the file, "-" for standard output; else NULL */
};

struct config {
	/* [sensor] */
	char *sensor_name; /* 1 to CONFIG_SENSOR_NAME_MAX bytes; by default the host's name */

	/* [capture], for each interface */
	struct config_texts interfaces; /* empty by default */
	size_t threads;                 /* pipelines per interface */
	size_t buffer_len;              /* of the kernel's ring, per thread */
	size_t snap_len;
	bool promiscuous;
	bool tunnels;                 /* the kernel filter lets tunnels through */
	struct port_list vxlan_ports; /* besides the usual ones; empty by default */

	/* [scope] */
	struct service_set services;
	struct network_set internal;
	bool names; /* learn names from DNS, DHCP, mDNS and NBNS packets */

	/* [policy] */
	uint16_t minimum; /* TLS_VERSION_* */
	int64_t fallback_window_us;
	char *services_file;                  /* NULL: where it usually is */
	struct config_texts switch_off_hosts; /* lower case; "*.example.com": all below it */
	struct network_set switch_off_networks;

	/* [store] */
	char *database;
	int64_t flush_interval_us;
	int64_t retention_us; /* 0: nothing is removed */

	/* [events] */
	struct config_events events;
	enum record_form events_as;

	/* [sessions]: event_ending_limits of event/event.h */
	int64_t dropped_within_us, short_within_us;
	size_t dropped_len, short_len;

	/* [budgets], per thread */
	size_t max_flows;
	size_t max_unsettled; /* of these */
	size_t max_held_len;  /* bytes that wait behind holes */
	size_t max_tally_len; /* bytes of findings that wait for a flush */

	/* [daemon] */
	char *user;
	enum log_level log_level;

	/* Kept by this module: where each value is from. */
	struct config_versions versions;
	enum config_layer layer[CONFIG_KEY_COUNT];
	unsigned line[CONFIG_KEY_COUNT];  /* in the file; 0: not from there */
	uint8_t service_given[65536 / 8]; /* ports that the file has named, a bit each */
};

/* One fault: what is wrong, and what would be right, as a sentence without its full stop. */
struct config_fault {
	unsigned line; /* from 1; 0: the file as a whole, or no file */
	char
	    *section; /* "": none; as in the file, so hostile to a terminal like `key` and `text` */
	char *key;    /* "": none */
	char *text;
};

/* Starts as { 0 }. */
struct config_faults {
	struct config_fault *items; /* owned; by line, then those between keys */
	size_t count;
	size_t more_count; /* not kept: more than CONFIG_FAULTS_MAX */
};

void config_faults_release(struct config_faults *faults);
/* "FILE:12: [store] retention: ..." with no line end. */
void config_fault_to_text(const struct config_fault *fault, const char *file, struct buf *out);

/* What is compiled in.  `versions` is copied. */
void config_init_defaults(struct config *c, const struct config_versions *versions);
void config_release(struct config *c);

/*
 * Reads the whole file over what `c` has, and adds every fault to `faults`, not only the first.
 * Returns 0, or -1 when there are faults: then `c` is to be released, not used.
 */
int config_read_file(struct config *c, const char *path, struct config_faults *faults);
/* The same for the content of a file. */
int config_read_bytes(struct config *c, struct span text, struct config_faults *faults);

/*
 * An option of the command line: `key` as in "policy.minimum".  For a scalar the last one counts;
 * lists take one or several entries with commas between them, and may be set several times.
 * Relative paths are fine here.  Returns -1 and says what is wrong with the value, without the key.
 */
int config_set(struct config *c, const char *key, const char *value, struct error *err);

/* Faults between keys, each fine by itself.  Part of config_read_file(); to be repeated when
 * options were set.  Returns 0 or -1. */
int config_check(const struct config *c, struct config_faults *faults);

const char *config_key_section(enum config_key key);
const char *config_key_name(enum config_key key); /* without its section */
/* False for a key that has no value unless it is given, or one that differs per host. */
bool config_key_has_default(enum config_key key);
/* True where a change takes effect at the next start only; else SIGHUP is enough. */
bool config_key_needs_restart(enum config_key key);
/* "policy.minimum"; false for a text that names none. */
bool config_key_from_text(const char *text, enum config_key *out);

/* The value as it may be written in the file; a list with ", " between its entries. */
void config_value_to_text(const struct config *c, enum config_key key, struct buf *out);
/*
 * All settings in the form of the file: what is not the default as "key = value", the defaults as
 * "#key = value".
 */
void config_to_text(const struct config *c, struct buf *out);

/* Calls `changed` (may be NULL) per key whose value differs; returns how many do. */
size_t config_compare(const struct config *old, const struct config *new,
    void (*changed)(void *arg, enum config_key key, bool needs_restart), void *arg);
/*
 * Takes over from `loaded` what needs no restart, so that `running` goes on saying what is in
 * force.  `loaded` is still to be released, and holds what was in force before.
 */
void config_adopt(struct config *running, struct config *loaded);

#endif
