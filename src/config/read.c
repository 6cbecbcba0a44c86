/*
 * The file: libinih takes lines apart, this says what is wrong with those it would pass over.
 *
 * libinih reports the first bad line only, drops what follows a "]", takes an indented line for a
 * part of the value above, and cuts long lines in two.  So each line is looked at before: a bad one
 * becomes a fault, and an empty line in its place.
 */
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/whole_file.h"
#include "config/config_internal.h"

#include "base/banned.h"

struct source {
	struct span rest;    /* from the next line on */
	unsigned line;       /* of the latest one, from 1 */
	bool skipping;       /* in a section that does not exist: its keys cannot be judged */
	const char *section; /* the latest good one; NULL: none yet */
	struct config *config;
	struct config_faults *faults;
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span
trimmed(struct span s)
{
	while (s.len > 0 && is_blank(s.data[0])) {
		s.data++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

/* The next line without its end and the blanks around it. */
static bool
take_line(struct source *src, struct span *line)
{
	const uint8_t *end;
	size_t len;

	if (src->rest.len == 0)
		return false;
	end = memchr(src->rest.data, '\n', src->rest.len);
	len = end != NULL ? (size_t)(end - src->rest.data) : src->rest.len;
	*line = span_first(src->rest, len);
	src->rest.data += len + (end != NULL);
	src->rest.len -= len + (end != NULL);
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->len--;
	*line = trimmed(*line);
	src->line++;
	return true;
}

static void
add_sections(struct buf *out)
{
	const char *section = "";

	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (strcmp(config_entries[i].section, section) == 0)
			continue;
		buf_addf(out, "%s[%s]", section[0] == '\0' ? "" : ", ", config_entries[i].section);
		section = config_entries[i].section;
	}
}

static void
unknown_section(struct source *src, struct span name)
{
	struct buf sections = { 0 };

	add_sections(&sections);
	config_faults_add(src->faults, src->line, NULL, NULL,
	    "there is no section [%.*s]; there are %s", (int)span_first(name, 60).len,
	    (const char *)name.data, buf_text(&sections));
	buf_release(&sections);
}

/* "[section]" and nothing else. */
static bool
is_good_section(struct source *src, struct span line)
{
	struct span name = span_from(line.data + 1, line.len - 1);
	const uint8_t *end = memchr(name.data, ']', name.len);

	src->skipping = true;
	if (end == NULL || end != name.data + name.len - 1) {
		config_faults_add(src->faults, src->line, NULL, NULL,
		    "'%.*s' is no section: write its name in [ and ], and nothing behind it",
		    (int)span_first(line, 60).len, (const char *)line.data);
		return false;
	}
	name.len--;
	src->section = config_section_find(name);
	if (src->section == NULL) {
		unknown_section(src, name);
		return false;
	}
	src->skipping = false;
	return true;
}

/*
 * Other programs take this for a comment.  Whether it is part of the value here depends on how
 * libinih was built.
 */
static bool
has_comment_behind(struct span line)
{
	for (size_t i = 1; i < line.len; i++) {
		if ((line.data[i] == ';' || line.data[i] == '#') && is_blank(line.data[i - 1]))
			return true;
	}
	return false;
}

static bool
has_control(struct span line)
{
	for (size_t i = 0; i < line.len; i++) {
		if ((line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
			return true;
	}
	return false;
}

/* What libinih would read otherwise than its writer meant; NULL: nothing. */
static const char *
fault_of_value(struct span line, struct span value)
{
	if (has_comment_behind(line))
		return "a comment needs a line of its own: put it above";
	if (value.len > 0 && (value.data[0] == '"' || value.data[0] == '\''))
		return "values are written without quotes: take them away";
	return NULL;
}

static bool
is_good_setting(struct source *src, struct span line)
{
	char key[64] = "";
	const char *fault;
	size_t i = 0;

	while (i < line.len && line.data[i] != '=' && line.data[i] != ':')
		i++;
	if (has_control(line)) {
		fault = "the line holds a control character: take it out";
	} else if (line.len > CONFIG_LINE_MAX) {
		fault = "the line is longer than 190 bytes: a list may go on in another line with "
			"the same key";
	} else if (i == line.len || line.data[i] == ':') {
		fault = "this is neither a [section] nor a setting: write key = value";
	} else if (i == 0) {
		fault = "there is no key in front of the =: write key = value";
	} else {
		struct span name = span_first(trimmed(span_first(line, i)), sizeof(key) - 1);

		memcpy(key, name.data, name.len);
		fault =
		    fault_of_value(line, trimmed(span_from(line.data + i + 1, line.len - i - 1)));
	}
	if (fault != NULL)
		config_faults_add(src->faults, src->line, src->section, key, "%s", fault);
	return fault == NULL;
}

static bool
is_for_libinih(struct source *src, struct span line)
{
	if (line.len == 0 || line.data[0] == '#' || line.data[0] == ';')
		return false;
	if (line.data[0] == '[')
		return is_good_section(src, line);
	return !src->skipping && is_good_setting(src, line);
}

/* For ini_parse_stream(), which calls it as it would fgets(). */
static char *
read_line(char *out, int room, void *stream)
{
	struct source *src = stream;
	struct span line;

	if (room < 1 || !take_line(src, &line))
		return NULL;
	if (!is_for_libinih(src, line))
		line.len = 0;
	if (line.len >= (size_t)room) { /* a libinih that was built for shorter lines */
		config_faults_add(src->faults, src->line, NULL, NULL,
		    "the line is longer than %d bytes, which libinih was built for", room - 1);
		line.len = 0;
	}
	if (line.len > 0)
		memcpy(out, line.data, line.len);
	out[line.len] = '\0';
	return out;
}

/* The key of that name in whatever section it is: it may be in the wrong one. */
static const struct config_entry *
entry_with_name(const char *name)
{
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (strcmp(config_entries[i].name, name) == 0)
			return &config_entries[i];
	}
	return NULL;
}

static void
unknown_key(struct source *src, const char *section, const char *name)
{
	const struct config_entry *other = entry_with_name(name);
	struct buf keys = { 0 };

	if (section[0] == '\0') {
		config_faults_add(src->faults, src->line, NULL, name,
		    "stands before the first section: put it below a line [%s]",
		    other != NULL ? other->section : "section");
		return;
	}
	if (other != NULL) {
		config_faults_add(src->faults, src->line, section, name,
		    "is no key of this section: put it below [%s]", other->section);
		return;
	}
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (strcmp(config_entries[i].section, section) == 0)
			buf_addf(&keys, "%s%s", keys.len > 0 ? ", " : "", config_entries[i].name);
	}
	config_faults_add(src->faults, src->line, section, name,
	    "there is no such key; this section has %s", buf_text(&keys));
	buf_release(&keys);
}

/* For ini_parse_stream(): one setting. */
static int
take_setting(void *arg, const char *section, const char *name, const char *value)
{
	struct source *src = arg;
	enum config_key key;

	if (!config_key_find(section, name, &key))
		unknown_key(src, section, name);
	else
		(void)config_apply(
		    src->config, key, CONFIG_LAYER_FILE, src->line, value, src->faults);
	return 1; /* go on: all faults are wanted */
}

int
config_read_bytes(struct config *c, struct span text, struct config_faults *faults)
{
	struct source src = { .rest = text, .config = c, .faults = faults };
	size_t before = faults->count + faults->more_count;
	int bad_line;

	if (text.len > CONFIG_FILE_MAX) {
		config_faults_add(faults, 0, NULL, NULL,
		    "is larger than %zu bytes: this is no configuration", CONFIG_FILE_MAX);
		return -1;
	}
	/* The mark that some editors put in front of UTF-8. */
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		src.rest = span_from(text.data + 3, text.len - 3);
	bad_line = ini_parse_stream(read_line, &src, take_setting, &src);
	if (bad_line != 0 && faults->count + faults->more_count == before)
		config_faults_add(faults, bad_line > 0 ? (unsigned)bad_line : 0, NULL, NULL,
		    "cannot be taken apart: write key = value");
	(void)config_check(c, faults);
	return faults->count + faults->more_count == before ? 0 : -1;
}

int
config_read_file(struct config *c, const char *path, struct config_faults *faults)
{
	struct buf text = { 0 };
	int result = -1;

	/* What is too large is told of with all other faults of the content. */
	if (whole_file_read(path, CONFIG_FILE_MAX, &text) != 0 && errno != EFBIG)
		config_faults_add(faults, 0, NULL, NULL, "cannot be read: %s", strerror(errno));
	else
		result = config_read_bytes(c, span_from(text.data, text.len), faults);
	buf_release(&text);
	return result;
}
