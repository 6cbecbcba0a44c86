/* The life of a configuration, and the one way in which a value enters it. */
#include "config/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "config/config_internal.h"

#include "base/banned.h"

static void
init_sensor_name(struct config *c)
{
	char name[CONFIG_SENSOR_NAME_MAX + 1] = "";
	struct error err;

	/* POSIX leaves open whether a name that was cut has its NUL. */
	if (gethostname(name, sizeof(name)) != 0)
		name[0] = '\0';
	name[sizeof(name) - 1] = '\0';
	if (!config_scalar_set(c, CONFIG_SENSOR_NAME, CONFIG_LAYER_DEFAULT, name, &err))
		c->sensor_name = xstrdup("local");
}

void
config_init_defaults(struct config *c, const struct config_versions *versions)
{
	*c = (struct config){ .versions = *versions };
	for (int i = 0; i < CONFIG_KEY_COUNT; i++) {
		const char *text = config_entries[i].fallback;
		struct error err;
		bool is_set;

		if (text == NULL)
			continue;
		is_set = config_scalar_set(c, (enum config_key)i, CONFIG_LAYER_DEFAULT, text, &err);
		assert(is_set);
		(void)is_set;
	}
	init_sensor_name(c);
	service_set_init_defaults(&c->services);
	network_set_add_internal_defaults(&c->internal);
}

void
config_release(struct config *c)
{
	free(c->sensor_name);
	config_texts_release(&c->interfaces);
	network_set_release(&c->internal);
	free(c->services_file);
	config_texts_release(&c->switch_off_hosts);
	network_set_release(&c->switch_off_networks);
	free(c->database);
	free(c->events.path);
	free(c->user);
	*c = (struct config){ 0 };
}

static char *
trim(char *text)
{
	size_t len;

	while (*text == ' ' || *text == '\t')
		text++;
	len = strlen(text);
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
	return text;
}

static void
add_fault(struct config_faults *faults, enum config_key key, unsigned line, const struct error *err)
{
	config_faults_add(
	    faults, line, config_key_section(key), config_key_name(key), "%s", err->text);
}

/* Entries with commas between them; each bad one is a fault of its own. */
static int
apply_list(struct config *c, enum config_key key, enum config_layer layer, unsigned line,
    const char *value, struct config_faults *faults)
{
	char *copy = xstrdup(value), *item = copy, *end;
	int result = 0;

	if (c->layer[key] < layer)
		config_list_clear(c, key);
	do {
		struct error err;

		end = item + strcspn(item, ",");
		if (*end == '\0')
			end = NULL;
		else
			*end = '\0';
		if (!config_list_add(c, key, layer, trim(item), &err)) {
			add_fault(faults, key, line, &err);
			result = -1;
		}
		if (end != NULL)
			item = end + 1;
	} while (end != NULL);
	free(copy);
	return result;
}

int
config_apply(struct config *c, enum config_key key, enum config_layer layer, unsigned line,
    const char *value, struct config_faults *faults)
{
	struct error err;
	int result = 0;

	if (value[0] == '\0') {
		error_set(&err, "has no value: give one, or put a # in front of the line");
		add_fault(faults, key, line, &err);
		return -1;
	}
	if (config_key_is_list(key)) {
		result = apply_list(c, key, layer, line, value, faults);
	} else if (layer == CONFIG_LAYER_FILE && c->layer[key] == layer) {
		error_set(&err, "is given already in line %u: give it once", c->line[key]);
		add_fault(faults, key, line, &err);
		return -1;
	} else if (!config_scalar_set(c, key, layer, value, &err)) {
		add_fault(faults, key, line, &err);
		result = -1;
	}
	/* Also after a bad value: to give the key once more is a repetition all the same. */
	c->layer[key] = layer;
	c->line[key] = line;
	return result;
}

int
config_set(struct config *c, const char *key, const char *value, struct error *err)
{
	struct config_faults faults = { 0 };
	enum config_key found;
	int result;

	if (!config_key_from_text(key, &found)) {
		error_set(err, "'%.80s' is no key of the configuration", key);
		return -1;
	}
	result = config_apply(c, found, CONFIG_LAYER_OPTION, 0, value, &faults);
	if (result != 0)
		error_set(err, "%s", faults.items[0].text);
	config_faults_release(&faults);
	return result;
}

static bool
has_any(const struct config_texts *interfaces)
{
	for (size_t i = 0; i < interfaces->count; i++) {
		if (strcmp(interfaces->items[i], "any") == 0)
			return true;
	}
	return false;
}

static int
check_interfaces(const struct config *c, struct config_faults *faults)
{
	const enum config_key key = CONFIG_CAPTURE_INTERFACE;

	if (c->interfaces.count < 2 || !has_any(&c->interfaces))
		return 0;
	config_faults_add(faults, c->line[key], config_key_section(key), config_key_name(key),
	    "\"any\" holds the others, too, so what passes there would count twice: give it "
	    "alone, or leave it out");
	return -1;
}

static int
check_flows(const struct config *c, struct config_faults *faults)
{
	enum config_key key = CONFIG_BUDGETS_UNSETTLED_FLOWS;

	if (c->max_unsettled <= c->max_flows)
		return 0;
	if (c->layer[CONFIG_BUDGETS_FLOWS] > c->layer[key])
		key = CONFIG_BUDGETS_FLOWS;
	config_faults_add(faults, c->line[key], config_key_section(key), config_key_name(key),
	    "unsettled_flows is %zu and flows %zu: the unsettled ones are part of all, so lower "
	    "unsettled_flows or raise flows",
	    c->max_unsettled, c->max_flows);
	return -1;
}

int
config_check(const struct config *c, struct config_faults *faults)
{
	int interfaces = check_interfaces(c, faults);

	return check_flows(c, faults) != 0 ? -1 : interfaces;
}
