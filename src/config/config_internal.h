/*
 * config_internal - the table of keys, and the ways from a text to a value and back.
 */
#ifndef TLSTALLY_CONFIG_INTERNAL_H
#define TLSTALLY_CONFIG_INTERNAL_H

#include "config/config.h"

/* What kind of value a key has, and by that the type of its member in struct config. */
enum config_kind {
	CONFIG_KIND_NAME,       /* char * */
	CONFIG_KIND_USER,       /* char * */
	CONFIG_KIND_PATH,       /* char * */
	CONFIG_KIND_EVENTS,     /* struct config_events */
	CONFIG_KIND_COUNT,      /* size_t */
	CONFIG_KIND_SIZE,       /* size_t, bytes */
	CONFIG_KIND_TIME,       /* int64_t, microseconds */
	CONFIG_KIND_SWITCH,     /* bool */
	CONFIG_KIND_LOG_LEVEL,  /* enum log_level */
	CONFIG_KIND_VERSION,    /* uint16_t */
	CONFIG_KIND_FORM,       /* enum record_form */
	CONFIG_KIND_INTERFACES, /* struct config_texts; the lists begin here */
	CONFIG_KIND_HOSTS,      /* struct config_texts */
	CONFIG_KIND_PORTS,      /* struct port_list */
	CONFIG_KIND_NETWORKS,   /* struct network_set */
	CONFIG_KIND_SERVICES,   /* struct service_set */
};

struct config_entry {
	const char *section, *name;
	enum config_kind kind;
	size_t offset;        /* of the member in struct config */
	const char *fallback; /* the default; NULL: none, or made by config_init_defaults() */
	uint64_t min, max;    /* COUNT, SIZE and TIME */
	bool has_never;       /* TIME: "never" stands for 0 */
	bool no_default;      /* none is compiled in */
	bool needs_restart;
};

/* keys.c */
extern const struct config_entry config_entries[CONFIG_KEY_COUNT];
/* The table's own text; NULL: there is no such section. */
const char *config_section_find(struct span name);
bool config_key_find(const char *section, const char *name, enum config_key *out);
void *config_member(struct config *c, enum config_key key);
const void *config_member_const(const struct config *c, enum config_key key);
size_t config_member_len(enum config_key key);

static inline bool
config_key_is_list(enum config_key key)
{
	return config_entries[key].kind >= CONFIG_KIND_INTERFACES;
}

/* config.c: sets one key of one layer; `line` is 0 outside the file.  Adds faults, returns -1. */
int config_apply(struct config *c, enum config_key key, enum config_layer layer, unsigned line,
    const char *value, struct config_faults *faults);

/* value.c: one value each; false, an explanation and no change where the text is none. */
bool config_scalar_set(struct config *c, enum config_key key, enum config_layer layer,
    const char *text, struct error *err);
void config_scalar_to_text(const struct config *c, enum config_key key, struct buf *out);

/* list.c: one entry of a list each, without blanks around it. */
bool config_list_add(
    struct config *c, enum config_key key, enum config_layer layer, char *item, struct error *err);
void config_list_clear(struct config *c, enum config_key key);
/* Writes the entries with `separator` between them. */
void config_list_to_text(
    const struct config *c, enum config_key key, const char *separator, struct buf *out);
void config_texts_release(struct config_texts *texts);

/* amount.c: numbers with a unit. */
bool config_number_from_text(const char *text, uint64_t *out);
bool config_size_from_text(const char *text, uint64_t *out); /* bytes: "64MiB" */
bool config_time_from_text(const char *text, uint64_t *out); /* microseconds: "30s" */
void config_size_to_text(uint64_t bytes, struct buf *out);
void config_time_to_text(uint64_t time_us, struct buf *out);

/* faults.c: `section` and `key` may be NULL. */
void config_faults_add(struct config_faults *faults, unsigned line, const char *section,
    const char *key, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
