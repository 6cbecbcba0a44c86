/* Configurations as text, and the difference between two. */
#include <string.h>

#include "config/config_internal.h"

#include "base/banned.h"

void
config_value_to_text(const struct config *c, enum config_key key, struct buf *out)
{
	if (config_key_is_list(key))
		config_list_to_text(c, key, ", ", out);
	else
		config_scalar_to_text(c, key, out);
}

/* One line per entry of a list, as libinih's lines are short. */
static void
add_setting(const struct config *c, enum config_key key, struct buf *separator, struct buf *out)
{
	const char *mark = c->layer[key] == CONFIG_LAYER_DEFAULT ? "#" : "";

	buf_clear(separator);
	buf_addf(separator, "\n%s%s = ", mark, config_key_name(key));
	buf_addf(out, "%s%s = ", mark, config_key_name(key));
	if (config_key_is_list(key))
		config_list_to_text(c, key, buf_text(separator), out);
	else
		config_scalar_to_text(c, key, out);
	if (out->data[out->len - 1] == ' ') /* an empty list */
		out->len--;
	buf_add_char(out, '\n');
}

void
config_to_text(const struct config *c, struct buf *out)
{
	const char *section = "";
	struct buf separator = { 0 };

	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		enum config_key key = (enum config_key)i;

		if (strcmp(section, config_key_section(key)) != 0) {
			section = config_key_section(key);
			buf_addf(out, "%s[%s]\n", i > 0 ? "\n" : "", section);
		}
		add_setting(c, key, &separator, out);
	}
	buf_release(&separator);
}

static bool
is_different(const struct config *old, const struct config *new, enum config_key key)
{
	struct buf a = { 0 }, b = { 0 };
	bool different;

	config_value_to_text(old, key, &a);
	config_value_to_text(new, key, &b);
	different = !span_equals(span_from(a.data, a.len), span_from(b.data, b.len));
	buf_release(&a);
	buf_release(&b);
	return different;
}

size_t
config_compare(const struct config *old, const struct config *new,
    void (*changed)(void *arg, enum config_key key, bool needs_restart), void *arg)
{
	size_t count = 0;

	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		enum config_key key = (enum config_key)i;

		if (!is_different(old, new, key))
			continue;
		count++;
		if (changed != NULL)
			changed(arg, key, config_key_needs_restart(key));
	}
	return count;
}

static void
swap_bytes(void *a, void *b, size_t len)
{
	unsigned char *x = a, *y = b;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = x[i];

		x[i] = y[i];
		y[i] = byte;
	}
}

void
config_adopt(struct config *running, struct config *loaded)
{
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		enum config_key key = (enum config_key)i;

		if (config_key_needs_restart(key))
			continue;
		swap_bytes(config_member(running, key), config_member(loaded, key),
		    config_member_len(key));
		swap_bytes(&running->layer[key], &loaded->layer[key], sizeof(loaded->layer[key]));
		swap_bytes(&running->line[key], &loaded->line[key], sizeof(loaded->line[key]));
	}
}
