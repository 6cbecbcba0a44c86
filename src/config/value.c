/* Scalars: text to value and back. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "config/config_internal.h"

#include "base/banned.h"

#define PATH_LEN_MAX 4095
#define USER_LEN_MAX 31

static const char *const log_levels[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_NOTICE] = "notice",
	[LOG_DEBUG] = "debug",
};

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool
has_control(const char *text)
{
	while (*text != '\0' && !is_control(*text))
		text++;
	return *text != '\0';
}

static void
replace_text(char **member, const char *text)
{
	char *copy = xstrdup(text);

	free(*member);
	*member = copy;
}

static bool
set_name(char **member, const char *text, struct error *err)
{
	size_t len = strlen(text);

	if (len == 0 || len > CONFIG_SENSOR_NAME_MAX || has_control(text)) {
		error_set(err, "'%.80s' is no name: give 1 to %d bytes without control characters",
		    text, CONFIG_SENSOR_NAME_MAX);
		return false;
	}
	replace_text(member, text);
	return true;
}

/* Names that useradd takes on most systems. */
static bool
set_user(char **member, const char *text, struct error *err)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	if (len == 0 || len > USER_LEN_MAX || text[len] != '\0' || text[0] == '-' ||
	    (text[0] >= '0' && text[0] <= '9')) {
		error_set(err,
		    "'%.80s' is no user name: give 1 to %d lower-case letters, digits, _ and -, "
		    "beginning with a letter or _",
		    text, USER_LEN_MAX);
		return false;
	}
	replace_text(member, text);
	return true;
}

/*
 * A daemon may be started in any folder, so its file needs whole paths; who types a path knows
 * where he is.
 */
static bool
is_path(const char *text, enum config_layer layer)
{
	size_t len = strlen(text);

	return len > 0 && len <= PATH_LEN_MAX && !has_control(text) && text[len - 1] != '/' &&
	       (text[0] == '/' || layer == CONFIG_LAYER_OPTION);
}

static bool
set_path(char **member, enum config_layer layer, const char *text, struct error *err)
{
	if (!is_path(text, layer)) {
		error_set(err, "'%.80s' is no path of a file: give one that begins with /", text);
		return false;
	}
	replace_text(member, text);
	return true;
}

static bool
set_events(
    struct config_events *member, enum config_layer layer, const char *text, struct error *err)
{
	struct config_events events = { .kind = CONFIG_EVENTS_NONE };

	if (strcmp(text, "syslog") == 0) {
		events.kind = CONFIG_EVENTS_SYSLOG;
	} else if (strcmp(text, "none") != 0) {
		if (strcmp(text, "-") != 0 && !is_path(text, layer)) {
			error_set(err,
			    "'%.80s' is no place for events: give none, syslog, - for standard "
			    "output, or a file's path that begins with /",
			    text);
			return false;
		}
		events.kind = CONFIG_EVENTS_FILE;
		events.path = xstrdup(text);
	}
	free(member->path);
	*member = events;
	return true;
}

static bool
set_count(const struct config_entry *e, size_t *member, const char *text, struct error *err)
{
	uint64_t value;

	if (!config_number_from_text(text, &value) || value < e->min || value > e->max) {
		error_set(err, "'%.80s' is no number from %llu to %llu", text,
		    (unsigned long long)e->min, (unsigned long long)e->max);
		return false;
	}
	*member = (size_t)value; /* at most e->max */
	return true;
}

static bool
set_size(const struct config_entry *e, size_t *member, const char *text, struct error *err)
{
	uint64_t value;
	struct buf range = { 0 };

	if (config_size_from_text(text, &value) && value >= e->min && value <= e->max) {
		*member = (size_t)value; /* at most e->max */
		return true;
	}
	config_size_to_text(e->min, &range);
	buf_add_text(&range, " to ");
	config_size_to_text(e->max, &range);
	error_set(err,
	    "'%.80s' is no size from %s: give a whole number with its unit, B, KiB, MiB or GiB, "
	    "and nothing between them",
	    text, buf_text(&range));
	buf_release(&range);
	return false;
}

static bool
set_time(const struct config_entry *e, int64_t *member, const char *text, struct error *err)
{
	uint64_t value;
	struct buf range = { 0 };

	if (e->has_never && strcmp(text, "never") == 0) {
		*member = 0;
		return true;
	}
	if (config_time_from_text(text, &value) && value >= e->min && value <= e->max) {
		*member = (int64_t)value; /* at most e->max, some hundred years */
		return true;
	}
	config_time_to_text(e->min, &range);
	buf_add_text(&range, " to ");
	config_time_to_text(e->max, &range);
	error_set(err,
	    "'%.80s' is no time from %s: give a whole number with its unit, ms, s, m, h, d or w, "
	    "and nothing between them%s",
	    text, buf_text(&range), e->has_never ? "; or never" : "");
	buf_release(&range);
	return false;
}

static bool
set_switch(bool *member, const char *text, struct error *err)
{
	bool yes = strcmp(text, "yes") == 0;

	if (!yes && strcmp(text, "no") != 0) {
		error_set(err, "'%.80s' is neither yes nor no", text);
		return false;
	}
	*member = yes;
	return true;
}

static bool
set_log_level(enum log_level *member, const char *text, struct error *err)
{
	for (size_t i = 0; i < sizeof(log_levels) / sizeof(log_levels[0]); i++) {
		if (strcmp(text, log_levels[i]) == 0) {
			*member = (enum log_level)i;
			return true;
		}
	}
	error_set(err, "'%.80s' is none of error, warning, notice, debug", text);
	return false;
}

static bool
set_version(
    const struct config_versions *versions, uint16_t *member, const char *text, struct error *err)
{
	uint16_t version = versions->from_text(text);

	if (version == 0) {
		error_set(err,
		    "'%.80s' is no version: give SSLv2, SSLv3, TLSv1.0, TLSv1.1, TLSv1.2 or "
		    "TLSv1.3",
		    text);
		return false;
	}
	*member = version;
	return true;
}

static bool
set_form(enum record_form *member, const char *text, struct error *err)
{
	if (record_form_from_text(text, member))
		return true;
	error_set(err, "'%.80s' is no form: give tlstally, ecs, zeek, eve or splunk", text);
	return false;
}

bool
config_scalar_set(struct config *c, enum config_key key, enum config_layer layer, const char *text,
    struct error *err)
{
	const struct config_entry *e = &config_entries[key];
	void *member = config_member(c, key);

	switch (e->kind) {
	case CONFIG_KIND_NAME:
		return set_name(member, text, err);
	case CONFIG_KIND_USER:
		return set_user(member, text, err);
	case CONFIG_KIND_PATH:
		return set_path(member, layer, text, err);
	case CONFIG_KIND_EVENTS:
		return set_events(member, layer, text, err);
	case CONFIG_KIND_COUNT:
		return set_count(e, member, text, err);
	case CONFIG_KIND_SIZE:
		return set_size(e, member, text, err);
	case CONFIG_KIND_TIME:
		return set_time(e, member, text, err);
	case CONFIG_KIND_SWITCH:
		return set_switch(member, text, err);
	case CONFIG_KIND_LOG_LEVEL:
		return set_log_level(member, text, err);
	case CONFIG_KIND_VERSION:
		return set_version(&c->versions, member, text, err);
	case CONFIG_KIND_FORM:
		return set_form(member, text, err);
	case CONFIG_KIND_INTERFACES:
	case CONFIG_KIND_HOSTS:
	case CONFIG_KIND_PORTS:
	case CONFIG_KIND_NETWORKS:
	case CONFIG_KIND_SERVICES:
		break; /* lists: see list.c */
	}
	error_set(err, "is a list");
	return false;
}

static void
events_to_text(const struct config_events *events, struct buf *out)
{
	switch (events->kind) {
	case CONFIG_EVENTS_NONE:
		buf_add_text(out, "none");
		break;
	case CONFIG_EVENTS_SYSLOG:
		buf_add_text(out, "syslog");
		break;
	case CONFIG_EVENTS_FILE:
		buf_add_text(out, events->path);
		break;
	}
}

static void
time_to_text(int64_t time_us, struct buf *out)
{
	if (time_us == 0)
		buf_add_text(out, "never");
	else
		config_time_to_text((uint64_t)time_us, out);
}

void
config_scalar_to_text(const struct config *c, enum config_key key, struct buf *out)
{
	const void *member = config_member_const(c, key);

	switch (config_entries[key].kind) {
	case CONFIG_KIND_NAME:
	case CONFIG_KIND_USER:
	case CONFIG_KIND_PATH:
		if (*(char *const *)member != NULL) /* a path without a default */
			buf_add_text(out, *(char *const *)member);
		break;
	case CONFIG_KIND_EVENTS:
		events_to_text(member, out);
		break;
	case CONFIG_KIND_COUNT:
		buf_add_u64(out, *(const size_t *)member);
		break;
	case CONFIG_KIND_SIZE:
		config_size_to_text(*(const size_t *)member, out);
		break;
	case CONFIG_KIND_TIME:
		time_to_text(*(const int64_t *)member, out);
		break;
	case CONFIG_KIND_SWITCH:
		buf_add_text(out, *(const bool *)member ? "yes" : "no");
		break;
	case CONFIG_KIND_LOG_LEVEL:
		buf_add_text(out, log_levels[*(const enum log_level *)member]);
		break;
	case CONFIG_KIND_VERSION:
		buf_add_text(out, c->versions.name(*(const uint16_t *)member));
		break;
	case CONFIG_KIND_FORM:
		buf_add_text(out, record_form_name(*(const enum record_form *)member));
		break;
	case CONFIG_KIND_INTERFACES:
	case CONFIG_KIND_HOSTS:
	case CONFIG_KIND_PORTS:
	case CONFIG_KIND_NETWORKS:
	case CONFIG_KIND_SERVICES:
		break; /* lists: see list.c */
	}
}
