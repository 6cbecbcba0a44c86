/* Faults of a configuration, gathered. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "config/config_internal.h"

#include "base/banned.h"

void
config_faults_add(struct config_faults *faults, unsigned line, const char *section, const char *key,
    const char *format, ...)
{
	char text[1024];
	va_list args;

	if (faults->count == CONFIG_FAULTS_MAX) {
		faults->more_count++;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	faults->items = xreallocarray(faults->items, faults->count + 1, sizeof(*faults->items));
	faults->items[faults->count++] = (struct config_fault){
		.line = line,
		.section = xstrdup(section != NULL ? section : ""),
		.key = xstrdup(key != NULL ? key : ""),
		.text = xstrdup(text),
	};
}

void
config_faults_release(struct config_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++) {
		free(faults->items[i].section);
		free(faults->items[i].key);
		free(faults->items[i].text);
	}
	free(faults->items);
	*faults = (struct config_faults){ 0 };
}

void
config_fault_to_text(const struct config_fault *fault, const char *file, struct buf *out)
{
	buf_add_text(out, file);
	if (fault->line != 0)
		buf_addf(out, ":%u", fault->line);
	buf_add_text(out, ": ");
	if (fault->section[0] != '\0') {
		buf_addf(out, "[%s]", fault->section);
		if (fault->key[0] != '\0')
			buf_addf(out, " %s", fault->key);
		buf_add_text(out, ": ");
	} else if (fault->key[0] != '\0') {
		buf_addf(out, "%s: ", fault->key);
	}
	buf_add_text(out, fault->text);
}
