/* The file: its form, and every fault in it. */
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config_fixture.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct config config;
static struct config_faults faults;

static void
init(void)
{
	config_fixture_init(&config);
	faults = (struct config_faults){ 0 };
}

static void
release(void)
{
	config_faults_release(&faults);
	config_release(&config);
}

static int
read_text(struct span text)
{
	release();
	init();
	return config_read_bytes(&config, text, &faults);
}

/* All faults as "LINE: [section] key: text", a line each. */
static const char *
faults_text(struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < faults.count; i++) {
		config_fault_to_text(&faults.items[i], "f", out);
		buf_add_char(out, '\n');
	}
	return buf_text(out);
}

#define BOM "\xef\xbb\xbf"

static const struct {
	struct span text;
	const char *minimum;
} forms[] = {
	{ { (const uint8_t *)"", 0 }, "TLSv1.2" },
	{ { (const uint8_t *)"\n", 1 }, "TLSv1.2" },
	{ { (const uint8_t *)BOM, 3 }, "TLSv1.2" },
	{ { (const uint8_t *)"[policy]", 8 }, "TLSv1.2" },
#define FORM(literal, minimum)                                                                     \
	{                                                                                          \
		{ (const uint8_t *)(literal), sizeof(literal) - 1 }, minimum                       \
	}
	FORM("[policy]\nminimum = TLSv1.1\n", "TLSv1.1"),
	FORM("[policy]\nminimum = TLSv1.1", "TLSv1.1"),
	FORM("[policy]\nminimum=TLSv1.1\n", "TLSv1.1"),
	FORM("[policy]\r\nminimum = TLSv1.1\r\n", "TLSv1.1"),
	FORM(BOM "[policy]\nminimum = TLSv1.1\n", "TLSv1.1"),
	FORM("\t[policy] \n \t minimum\t =\tTLSv1.1\t\n", "TLSv1.1"),
	FORM("# a\n; b\n  # c\n[policy]\n#minimum = TLSv1.0\nminimum = TLSv1.1\n", "TLSv1.1"),
	FORM("[policy]\n[store]\nretention = 1d\n[policy]\nminimum = TLSv1.1\n", "TLSv1.1"),
	FORM("# \x01\x02 what is in a comment does not matter = [x\n[policy]\nminimum = TLSv1.1\n",
	    "TLSv1.1"),
	/* An indented line is a setting of its own, no continuation of the one above. */
	FORM("[policy]\nswitch_off_host = a.example\n  minimum = TLSv1.1\n", "TLSv1.1"),
};

START_TEST(the_form_is_taken)
{
	struct buf text = { 0 };

	ck_assert_msg(read_text(forms[_i].text) == 0, "%s", faults_text(&text));
	ck_assert_uint_eq(faults.count, 0);
	config_fixture_expect(&config, CONFIG_POLICY_MINIMUM, forms[_i].minimum);
	buf_release(&text);
}
END_TEST

#define SECTIONS                                                                                   \
	"[sensor], [capture], [scope], [policy], [store], [events], [sessions], [budgets], "       \
	"[daemon]"

static const struct {
	const char *text, *faults;
} bad[] = {
	{ "[nix]\n", "f:1: there is no section [nix]; there are " SECTIONS "\n" },
	{ "[]\nminimum = 1\n", "f:1: there is no section []; there are " SECTIONS "\n" },
	{ "[Policy]\n", "f:1: there is no section [Policy]; there are " SECTIONS "\n" },
	{ "[ policy ]\n", "f:1: there is no section [ policy ]; there are " SECTIONS "\n" },
	{ "\n[store\nretention = 1\n",
	    "f:2: '[store' is no section: write its name in [ and ], and nothing behind it\n" },
	{ "[store] x\n",
	    "f:1: '[store] x' is no section: write its name in [ and ], and nothing behind it\n" },
	{ "[store] # x\n", "f:1: '[store] # x' is no section: write its name in [ and ], and "
			   "nothing behind it\n" },
	{ "minimum = TLSv1.1\n",
	    "f:1: minimum: stands before the first section: put it below a line [policy]\n" },
	{ "nix = 1\n",
	    "f:1: nix: stands before the first section: put it below a line [section]\n" },
	{ "[store]\nuser = x\n",
	    "f:2: [store] user: is no key of this section: put it below [daemon]\n" },
	{ "[policy]\nMinimum = TLSv1.1\n",
	    "f:2: [policy] Minimum: there is no such key; this section has minimum, "
	    "fallback_window, services_file, switch_off_host, switch_off_network\n" },
	{ "[policy]\nminimum TLSv1.1\n",
	    "f:2: [policy]: this is neither a [section] nor a setting: write key = value\n" },
	{ "[policy]\nminimum: TLSv1.1\n",
	    "f:2: [policy]: this is neither a [section] nor a setting: write key = value\n" },
	{ "[policy]\n = TLSv1.1\n",
	    "f:2: [policy]: there is no key in front of the =: write key = value\n" },
	{ "[policy]\nminimum =\n", "f:2: [policy] minimum: has no value: give one, or put a # in "
				   "front of the line\n" },
	{ "[policy]\nminimum = TLSv1.1 # old\n",
	    "f:2: [policy] minimum: a comment needs a line of its own: put it above\n" },
	{ "[policy]\nminimum = TLSv1.1\t; old\n",
	    "f:2: [policy] minimum: a comment needs a line of its own: put it above\n" },
	{ "[policy]\nminimum = \"TLSv1.1\"\n",
	    "f:2: [policy] minimum: values are written without quotes: take them away\n" },
	{ "[policy]\nminimum = TLSv1.1\nminimum = TLSv1.1\n",
	    "f:3: [policy] minimum: is given already in line 2: give it once\n" },
	{ "[policy]\nminimum = x\nminimum = TLSv1.1\n",
	    "f:2: [policy] minimum: 'x' is no version: give SSLv2, SSLv3, TLSv1.0, TLSv1.1, "
	    "TLSv1.2 or TLSv1.3\n"
	    "f:3: [policy] minimum: is given already in line 2: give it once\n" },
	{ "[scope]\nservice = 993=imap\nservice = 993=imap\n",
	    "f:3: [scope] service: port 993 is given twice: what is usual there can be said "
	    "once\n" },
	{ "[capture]\ninterface = a\ninterface = a\n",
	    "f:3: [capture] interface: 'a' is given twice: once is enough\n" },
	{ "[capture]\ninterface = eth1, any\nthreads = 2\n",
	    "f:2: [capture] interface: \"any\" holds the others, too, so what passes there would "
	    "count twice: give it alone, or leave it out\n" },
	{ "[store]\ndatabase = tlstally.db\n",
	    "f:2: [store] database: 'tlstally.db' is no path of a file: give one that begins with "
	    "/\n" },
	{ "[events]\nto = sylog\n",
	    "f:2: [events] to: 'sylog' is no place for events: give none, syslog, - for standard "
	    "output, or a file's path that begins with /\n" },
	{ "[budgets]\nflows = 1024\n\nunsettled_flows = 1025\n",
	    "f:4: [budgets] unsettled_flows: unsettled_flows is 1025 and flows 1024: the unsettled "
	    "ones are part of all, so lower unsettled_flows or raise flows\n" },
	{ "[budgets]\nflows = 1024\n",
	    "f:2: [budgets] flows: unsettled_flows is 16384 and flows 1024: the unsettled ones are "
	    "part of all, so lower unsettled_flows or raise flows\n" },
	{ "[daemon]\nuser = a\001b\n",
	    "f:2: [daemon]: the line holds a control character: take it out\n" },
	{ "[daemon]\ruser = a\n",
	    "f:1: '[daemon]\ruser = a' is no section: write its name in [ and ], and nothing "
	    "behind it\n" },
	/* Two in one line, and one after a section that does not exist. */
	{ "[scope]\ninternal = x, y\n[nix]\na = b\n[daemon]\nlog_level = all\n",
	    "f:2: [scope] internal: 'x' is no network: give addresses or networks such as "
	    "10.0.0.0/8 or 2001:db8::/32, with commas between them, or any\n"
	    "f:2: [scope] internal: 'y' is no network: give addresses or networks such as "
	    "10.0.0.0/8 or 2001:db8::/32, with commas between them, or any\n"
	    "f:3: there is no section [nix]; there are " SECTIONS "\n"
	    "f:6: [daemon] log_level: 'all' is none of error, warning, notice, debug\n" },
};

START_TEST(every_fault_is_named_with_its_line_and_what_would_be_right)
{
	struct buf text = { 0 };

	ck_assert_int_eq(read_text(span_from_text(bad[_i].text)), -1);
	ck_assert_str_eq(faults_text(&text), bad[_i].faults);
	buf_release(&text);
}
END_TEST

START_TEST(a_nul_byte_is_a_control_character)
{
	ck_assert_int_eq(read_text(BYTES("[daemon]\nuser = a\0\n")), -1);
	ck_assert_uint_eq(faults.count, 1);
	ck_assert_msg(
	    strstr(faults.items[0].text, "control character") != NULL, "%s", faults.items[0].text);
}
END_TEST

static const char whole[] = "# everything\n"
			    "[sensor]\nname = x\n"
			    "[capture]\ninterface = eth0, eth1\nbuffer = 128MiB\ntunnels = yes\n"
			    "[scope]\nservice = 2525=smtp, 25=smtp+starttls\ninternal = any\n"
			    "[policy]\nminimum = TLSv1.3\nswitch_off_host = *.example.com\n"
			    "[store]\nretention = 30d\ndatabase = /d\n"
			    "[events]\nto = syslog\n"
			    "[budgets]\nunsettled_flows = 256\nflows = 1024\n";

START_TEST(a_prefix_of_a_good_file_has_faults_in_its_last_line_only)
{
	unsigned line = 1;

	for (size_t len = 0; len < sizeof(whole); len++) {
		struct span prefix = span_from(whole, len);
		int result = read_text(prefix);

		ck_assert_int_eq(result, faults.count == 0 ? 0 : -1);
		for (size_t i = 0; i < faults.count; i++)
			ck_assert_msg(faults.items[i].line == line, "length %zu, line %u: %s", len,
			    faults.items[i].line, faults.items[i].text);
		if (len > 0 && whole[len - 1] == '\n')
			ck_assert_uint_eq(faults.count, 0);
		if (whole[len] == '\n')
			continue;
		if (len > 0 && whole[len - 1] == '\n')
			line++;
	}
}
END_TEST

/* A setting of `len` bytes: with a colon an interface is as long as it likes; there are two. */
static size_t
long_setting(char *out, size_t len)
{
	static const char start[] = "[capture]\ninterface = ";
	size_t start_len = sizeof(start) - 1, line_start = strlen("[capture]\n");

	memcpy(out, start, start_len);
	memset(out + start_len, 'e', line_start + len - start_len);
	out[start_len] = out[start_len + 101] = ':';
	out[start_len + 100] = ',';
	return line_start + len;
}

START_TEST(a_line_may_have_190_bytes_and_not_one_more)
{
	char text[512];

	ck_assert_int_eq(read_text(span_from(text, long_setting(text, CONFIG_LINE_MAX))), 0);
	ck_assert_uint_eq(config.interfaces.count, 2);
	ck_assert_uint_eq(
	    strlen(config.interfaces.items[0]) + strlen(config.interfaces.items[1]), 190 - 12 - 1);
	ck_assert_int_eq(read_text(span_from(text, long_setting(text, CONFIG_LINE_MAX + 1))), -1);
	ck_assert_uint_eq(faults.count, 1);
	ck_assert_uint_eq(faults.items[0].line, 2);
	ck_assert_msg(
	    strstr(faults.items[0].text, "190 bytes") != NULL, "%s", faults.items[0].text);
	ck_assert_uint_eq(config.interfaces.count, 0);
}
END_TEST

START_TEST(a_file_of_the_largest_size_is_read_and_one_byte_more_is_none)
{
	char *text = malloc(CONFIG_FILE_MAX + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, '\n', CONFIG_FILE_MAX + 1);
	memcpy(text + CONFIG_FILE_MAX - 9, "\n[nix]\n\n\n", 9);
	ck_assert_int_eq(read_text(span_from(text, CONFIG_FILE_MAX)), -1);
	ck_assert_uint_eq(faults.count, 1);
	ck_assert_uint_eq(faults.items[0].line, CONFIG_FILE_MAX - 7);
	ck_assert_int_eq(read_text(span_from(text, CONFIG_FILE_MAX + 1)), -1);
	ck_assert_uint_eq(faults.count, 1);
	ck_assert_uint_eq(faults.items[0].line, 0);
	ck_assert_str_eq(
	    faults.items[0].text, "is larger than 262144 bytes: this is no configuration");
	free(text);
}
END_TEST

START_TEST(faults_beyond_the_bound_are_counted)
{
	char *text = malloc(CONFIG_FILE_MAX);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < CONFIG_FILE_MAX; i += 2)
		memcpy(text + i, "x\n", 2);
	ck_assert_int_eq(read_text(span_from(text, CONFIG_FILE_MAX)), -1);
	ck_assert_uint_eq(faults.count, CONFIG_FAULTS_MAX);
	ck_assert_uint_eq(faults.count + faults.more_count, CONFIG_FILE_MAX / 2);
	/* And no more fit in: a second file with a fault still fails. */
	ck_assert_int_eq(config_read_bytes(&config, BYTES("x\n"), &faults), -1);
	free(text);
}
END_TEST

START_TEST(what_is_in_force_can_be_read_again)
{
	struct config again;
	struct buf text = { 0 };

	ck_assert_int_eq(read_text(span_from_text(whole)), 0);
	config_to_text(&config, &text);
	config_fixture_read(&again, buf_text(&text));
	ck_assert_uint_eq(config_compare(&config, &again, NULL, NULL), 0);
	config_release(&again);
	buf_release(&text);
}
END_TEST

START_TEST(a_file_is_read_from_its_path)
{
	char path[] = "/tmp/check_config_XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)write(fd, whole, sizeof(whole) - 1), (int)sizeof(whole) - 1);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(config_read_file(&config, path, &faults), 0);
	ck_assert_uint_eq(config.minimum, TLS_VERSION_1_3);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(config_read_file(&config, path, &faults), -1);
	ck_assert_uint_eq(faults.count, 1);
	ck_assert_uint_eq(faults.items[0].line, 0);
	ck_assert_str_eq(faults.items[0].text, "cannot be read: No such file or directory");
	ck_assert_int_eq(config_read_file(&config, "/", &faults), -1);
	ck_assert_str_eq(faults.items[1].text, "cannot be read: Is a directory");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, init, release);
	tcase_add_loop_test(tc, the_form_is_taken, 0, ROWS(forms));
	tcase_add_loop_test(
	    tc, every_fault_is_named_with_its_line_and_what_would_be_right, 0, ROWS(bad));
	tcase_add_test(tc, a_nul_byte_is_a_control_character);
	tcase_add_test(tc, a_prefix_of_a_good_file_has_faults_in_its_last_line_only);
	tcase_add_test(tc, a_line_may_have_190_bytes_and_not_one_more);
	tcase_add_test(tc, a_file_of_the_largest_size_is_read_and_one_byte_more_is_none);
	tcase_add_test(tc, faults_beyond_the_bound_are_counted);
	tcase_add_test(tc, what_is_in_force_can_be_read_again);
	tcase_add_test(tc, a_file_is_read_from_its_path);
}

SUITE_MAIN("config_read")
