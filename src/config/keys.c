/*
 * The table of keys.  A new key is a value of enum config_key, a member of struct config, a row
 * here and a paragraph in etc/tlstally.conf; a unit test says what was forgotten.
 */
#include <string.h>

#include "config/config_internal.h"

#include "base/banned.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
/* What a process has of addresses. */
#define MEMORY_MAX (SIZE_MAX > UINT32_MAX ? 64 * GIB : 2 * GIB)
#define SECOND UINT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define FLOWS_MAX (UINT64_C(1) << 24)

#define AT(member) offsetof(struct config, member)

const struct config_entry config_entries[CONFIG_KEY_COUNT] = {
	[CONFIG_SENSOR_NAME] = { "sensor", "name", CONFIG_KIND_NAME, AT(sensor_name),
	    .no_default = true, .needs_restart = true },

	[CONFIG_CAPTURE_INTERFACE] = { "capture", "interface", CONFIG_KIND_INTERFACES,
	    AT(interfaces), .no_default = true, .needs_restart = true },
	[CONFIG_CAPTURE_THREADS] = { "capture", "threads", CONFIG_KIND_COUNT, AT(threads),
	    .fallback = "1", .min = 1, .max = 64, .needs_restart = true },
	[CONFIG_CAPTURE_BUFFER] = { "capture", "buffer", CONFIG_KIND_SIZE, AT(buffer_len),
	    .fallback = "64MiB", .min = MIB, .max = 2 * GIB - MIB, .needs_restart = true },
	[CONFIG_CAPTURE_SNAP_LENGTH] = { "capture", "snap_length", CONFIG_KIND_SIZE, AT(snap_len),
	    .fallback = "72KiB", .min = 128, .max = 256 * KIB, .needs_restart = true },
	[CONFIG_CAPTURE_PROMISCUOUS] = { "capture", "promiscuous", CONFIG_KIND_SWITCH,
	    AT(promiscuous), .fallback = "yes", .needs_restart = true },
	[CONFIG_CAPTURE_TUNNELS] = { "capture", "tunnels", CONFIG_KIND_SWITCH, AT(tunnels),
	    .fallback = "no", .needs_restart = true },
	[CONFIG_CAPTURE_VXLAN_PORT] = { "capture", "vxlan_port", CONFIG_KIND_PORTS, AT(vxlan_ports),
	    .no_default = true, .needs_restart = true },

	/* Their defaults are those of base. */
	[CONFIG_SCOPE_SERVICE] = { "scope", "service", CONFIG_KIND_SERVICES, AT(services),
	    .fallback = NULL },
	[CONFIG_SCOPE_INTERNAL] = { "scope", "internal", CONFIG_KIND_NETWORKS, AT(internal),
	    .fallback = NULL },
	[CONFIG_SCOPE_NAMES] = { "scope", "names", CONFIG_KIND_SWITCH, AT(names), .fallback = "yes",
	    .needs_restart = true },

	[CONFIG_POLICY_MINIMUM] = { "policy", "minimum", CONFIG_KIND_VERSION, AT(minimum),
	    .fallback = "TLSv1.2" },
	[CONFIG_POLICY_FALLBACK_WINDOW] = { "policy", "fallback_window", CONFIG_KIND_TIME,
	    AT(fallback_window_us), .fallback = "10s", .min = SECOND, .max = HOUR },
	[CONFIG_POLICY_SERVICES_FILE] = { "policy", "services_file", CONFIG_KIND_PATH,
	    AT(services_file), .no_default = true },
	[CONFIG_POLICY_SWITCH_OFF_HOST] = { "policy", "switch_off_host", CONFIG_KIND_HOSTS,
	    AT(switch_off_hosts), .no_default = true },
	[CONFIG_POLICY_SWITCH_OFF_NETWORK] = { "policy", "switch_off_network", CONFIG_KIND_NETWORKS,
	    AT(switch_off_networks), .no_default = true },

	[CONFIG_STORE_DATABASE] = { "store", "database", CONFIG_KIND_PATH, AT(database),
	    .fallback = "/var/lib/tlstally/tlstally.db", .needs_restart = true },
	[CONFIG_STORE_FLUSH_INTERVAL] = { "store", "flush_interval", CONFIG_KIND_TIME,
	    AT(flush_interval_us), .fallback = "1s", .min = SECOND / 10, .max = HOUR,
	    .needs_restart = true },
	[CONFIG_STORE_RETENTION] = { "store", "retention", CONFIG_KIND_TIME, AT(retention_us),
	    .fallback = "400d", .min = DAY, .max = 36500 * DAY, .has_never = true },

	[CONFIG_EVENTS_TO] = { "events", "to", CONFIG_KIND_EVENTS, AT(events), .fallback = "none",
	    .needs_restart = true },
	[CONFIG_EVENTS_AS] = { "events", "as", CONFIG_KIND_FORM, AT(events_as),
	    .fallback = "tlstally", .needs_restart = true },

	/* The same as event_ending_limits_init(): a unit test compares. */
	[CONFIG_SESSIONS_DROPPED_WITHIN] = { "sessions", "dropped_within", CONFIG_KIND_TIME,
	    AT(dropped_within_us), .fallback = "10s", .min = SECOND / 1000, .max = HOUR },
	[CONFIG_SESSIONS_DROPPED_BYTES] = { "sessions", "dropped_bytes", CONFIG_KIND_SIZE,
	    AT(dropped_len), .fallback = "512B", .min = 0, .max = MIB },
	[CONFIG_SESSIONS_SHORT_WITHIN] = { "sessions", "short_within", CONFIG_KIND_TIME,
	    AT(short_within_us), .fallback = "30s", .min = SECOND / 1000, .max = HOUR },
	[CONFIG_SESSIONS_SHORT_BYTES] = { "sessions", "short_bytes", CONFIG_KIND_SIZE,
	    AT(short_len), .fallback = "4KiB", .min = 0, .max = 64 * MIB },

	/* The same as flow_options_init() and TALLY_DEFAULT_MAX_BYTES: a unit test compares. */
	[CONFIG_BUDGETS_FLOWS] = { "budgets", "flows", CONFIG_KIND_COUNT, AT(max_flows),
	    .fallback = "131072", .min = 1024, .max = FLOWS_MAX, .needs_restart = true },
	[CONFIG_BUDGETS_UNSETTLED_FLOWS] = { "budgets", "unsettled_flows", CONFIG_KIND_COUNT,
	    AT(max_unsettled), .fallback = "16384", .min = 256, .max = FLOWS_MAX,
	    .needs_restart = true },
	[CONFIG_BUDGETS_HELD] = { "budgets", "held", CONFIG_KIND_SIZE, AT(max_held_len),
	    .fallback = "32MiB", .min = MIB, .max = MEMORY_MAX, .needs_restart = true },
	[CONFIG_BUDGETS_TALLY] = { "budgets", "tally", CONFIG_KIND_SIZE, AT(max_tally_len),
	    .fallback = "64MiB", .min = MIB, .max = MEMORY_MAX, .needs_restart = true },

	[CONFIG_DAEMON_USER] = { "daemon", "user", CONFIG_KIND_USER, AT(user),
	    .fallback = "tlstally", .needs_restart = true },
	[CONFIG_DAEMON_LOG_LEVEL] = { "daemon", "log_level", CONFIG_KIND_LOG_LEVEL, AT(log_level),
	    .fallback = "notice" },
};

const char *
config_section_find(struct span name)
{
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (span_equals(name, span_from_text(config_entries[i].section)))
			return config_entries[i].section;
	}
	return NULL;
}

bool
config_key_find(const char *section, const char *name, enum config_key *out)
{
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (strcmp(config_entries[i].section, section) == 0 &&
		    strcmp(config_entries[i].name, name) == 0) {
			*out = (enum config_key)i;
			return true;
		}
	}
	return false;
}

bool
config_key_from_text(const char *text, enum config_key *out)
{
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		const struct config_entry *e = &config_entries[i];
		size_t len = strlen(e->section);

		if (strncmp(text, e->section, len) == 0 && text[len] == '.' &&
		    strcmp(text + len + 1, e->name) == 0) {
			*out = (enum config_key)i;
			return true;
		}
	}
	return false;
}

const char *
config_key_section(enum config_key key)
{
	return config_entries[key].section;
}

const char *
config_key_name(enum config_key key)
{
	return config_entries[key].name;
}

bool
config_key_has_default(enum config_key key)
{
	return !config_entries[key].no_default;
}

bool
config_key_needs_restart(enum config_key key)
{
	return config_entries[key].needs_restart;
}

void *
config_member(struct config *c, enum config_key key)
{
	return (char *)c + config_entries[key].offset;
}

const void *
config_member_const(const struct config *c, enum config_key key)
{
	return (const char *)c + config_entries[key].offset;
}

size_t
config_member_len(enum config_key key)
{
	switch (config_entries[key].kind) {
	case CONFIG_KIND_NAME:
	case CONFIG_KIND_USER:
	case CONFIG_KIND_PATH:
		return sizeof(char *);
	case CONFIG_KIND_EVENTS:
		return sizeof(struct config_events);
	case CONFIG_KIND_COUNT:
	case CONFIG_KIND_SIZE:
		return sizeof(size_t);
	case CONFIG_KIND_TIME:
		return sizeof(int64_t);
	case CONFIG_KIND_SWITCH:
		return sizeof(bool);
	case CONFIG_KIND_LOG_LEVEL:
		return sizeof(enum log_level);
	case CONFIG_KIND_VERSION:
		return sizeof(uint16_t);
	case CONFIG_KIND_FORM:
		return sizeof(enum record_form);
	case CONFIG_KIND_INTERFACES:
	case CONFIG_KIND_HOSTS:
		return sizeof(struct config_texts);
	case CONFIG_KIND_PORTS:
		return sizeof(struct port_list);
	case CONFIG_KIND_NETWORKS:
		return sizeof(struct network_set);
	case CONFIG_KIND_SERVICES:
		return sizeof(struct service_set);
	}
	return 0;
}
