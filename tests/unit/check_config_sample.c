/* etc/tlstally.conf: every key explained, and its default. */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "config_fixture.h"

#include "base/banned.h"

/* The file as it is, and with its defaults no longer comments. */
static struct buf sample, filled;

static void
read_sample(void)
{
	const char *root = getenv("TLSTALLY_SOURCE_ROOT");
	char path[4096];
	FILE *f;
	int c, last = '\n';

	(void)snprintf(path, sizeof(path), "%s/etc/tlstally.conf", root != NULL ? root : ".");
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "cannot open %s", path);
	while ((c = fgetc(f)) != EOF) {
		buf_add_char(&sample, (char)c);
		/* "#key = value": take the # away; "# text" and "#" stay. */
		if (last == '#' && c >= 'a' && c <= 'z' &&
		    (filled.len == 1 || filled.data[filled.len - 2] == '\n'))
			filled.len--;
		buf_add_char(&filled, (char)c);
		last = c;
	}
	fclose(f);
	ck_assert_uint_gt(sample.len, 1000);
	ck_assert_uint_gt(sample.len, filled.len);
}

static void
release(void)
{
	buf_release(&sample);
	buf_release(&filled);
}

START_TEST(the_sample_as_it_is_changes_nothing)
{
	struct config defaults, read;

	config_fixture_init(&defaults);
	config_fixture_read(&read, buf_text(&sample));
	ck_assert_uint_eq(config_compare(&defaults, &read, NULL, NULL), 0);
	for (int i = 0; i < CONFIG_KEY_COUNT; i++)
		ck_assert_int_eq((int)read.layer[i], (int)CONFIG_LAYER_DEFAULT);
	config_release(&defaults);
	config_release(&read);
}
END_TEST

START_TEST(the_sample_has_every_key_and_no_other)
{
	struct config read;

	/* An unknown key, or one in the wrong section, would be a fault. */
	config_fixture_read(&read, buf_text(&filled));
	for (int i = 0; i < CONFIG_KEY_COUNT; i++)
		ck_assert_msg(read.layer[i] == CONFIG_LAYER_FILE, "[%s] %s is not in the sample",
		    config_key_section((enum config_key)i), config_key_name((enum config_key)i));
	config_release(&read);
}
END_TEST

static void
must_have_no_default(void *arg, enum config_key key, bool needs_restart)
{
	bool *changed = arg;

	(void)needs_restart;
	ck_assert_msg(!config_key_has_default(key), "[%s] %s is not the default in the sample",
	    config_key_section(key), config_key_name(key));
	changed[key] = true;
}

START_TEST(the_defaults_in_the_sample_are_those_that_are_compiled_in)
{
	bool changed[CONFIG_KEY_COUNT] = { false };
	struct config defaults, read;

	config_fixture_init(&defaults);
	config_fixture_read(&read, buf_text(&filled));
	(void)config_compare(&defaults, &read, must_have_no_default, changed);
	/* What has none is there with an example. */
	for (int i = 0; i < CONFIG_KEY_COUNT; i++)
		ck_assert(changed[i] == !config_key_has_default((enum config_key)i));
	config_release(&defaults);
	config_release(&read);
}
END_TEST

/* The services of the default are in the set either way: compare what the sample names. */
START_TEST(the_services_in_the_sample_are_all_that_are_compiled_in)
{
	struct service_set *defaults = malloc(sizeof(*defaults));
	struct config read;

	ck_assert_ptr_nonnull(defaults);
	service_set_init_defaults(defaults);
	config_fixture_read(&read, buf_text(&filled));
	for (unsigned port = 0; port <= UINT16_MAX; port++) {
		bool given = (read.service_given[port / 8] >> port % 8 & 1) != 0;

		ck_assert(given == service_set_has(defaults, (uint16_t)port));
	}
	config_release(&read);
	free(defaults);
}
END_TEST

/* The words "reload" and "restart" of each paragraph, above its key. */
START_TEST(the_sample_says_which_keys_need_a_restart)
{
	const char *p = buf_text(&filled), *end;
	char section[64] = "";
	bool restart = false, reload = false;
	int count = 0;

	for (; (end = strchr(p, '\n')) != NULL; p = end + 1) {
		enum config_key key;
		char line[256], name[400];

		ck_assert_uint_lt((size_t)(end - p), sizeof(line));
		memcpy(line, p, (size_t)(end - p));
		line[end - p] = '\0';
		if (line[0] == '#') {
			restart = restart || strstr(line, "(restart)") != NULL;
			reload = reload || strstr(line, "(reload)") != NULL;
		} else if (line[0] == '[') {
			(void)sscanf(line, "[%63[a-z]", section);
		} else if (line[0] == '\0') {
			restart = reload = false;
		} else {
			(void)snprintf(
			    name, sizeof(name), "%s.%.*s", section, (int)strcspn(line, " "), line);
			ck_assert_msg(config_key_from_text(name, &key), "%s", name);
			ck_assert_msg(restart == config_key_needs_restart(key), "%s", name);
			ck_assert_msg(reload == !config_key_needs_restart(key), "%s", name);
			count++;
		}
	}
	ck_assert_int_ge(count, CONFIG_KEY_COUNT);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, read_sample, release);
	tcase_add_test(tc, the_sample_as_it_is_changes_nothing);
	tcase_add_test(tc, the_sample_has_every_key_and_no_other);
	tcase_add_test(tc, the_defaults_in_the_sample_are_those_that_are_compiled_in);
	tcase_add_test(tc, the_services_in_the_sample_are_all_that_are_compiled_in);
	tcase_add_test(tc, the_sample_says_which_keys_need_a_restart);
}

SUITE_MAIN("config_sample")
