/* What a reload changes, and what has to wait for a restart. */
#include "suite.h"

#include "config_fixture.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static struct config running, loaded;

struct changes {
	size_t count;
	enum config_key keys[CONFIG_KEY_COUNT];
	bool needs_restart[CONFIG_KEY_COUNT];
};

static void
note(void *arg, enum config_key key, bool needs_restart)
{
	struct changes *changes = arg;

	ck_assert_uint_lt(changes->count, CONFIG_KEY_COUNT);
	changes->keys[changes->count] = key;
	changes->needs_restart[changes->count++] = needs_restart;
}

static struct changes
compare(void)
{
	struct changes changes = { 0 };

	ck_assert_uint_eq(config_compare(&running, &loaded, note, &changes), changes.count);
	return changes;
}

/* One row per key, in their order: a file that changes it and nothing else. */
static const struct {
	enum config_key key;
	const char *text, *value;
	bool needs_restart;
} rows[] = {
	{ CONFIG_SENSOR_NAME, "[sensor]\nname = other\n", "other", true },
	{ CONFIG_CAPTURE_INTERFACE, "[capture]\ninterface = eth9\n", "eth9", true },
	{ CONFIG_CAPTURE_THREADS, "[capture]\nthreads = 2\n", "2", true },
	{ CONFIG_CAPTURE_BUFFER, "[capture]\nbuffer = 65MiB\n", "65MiB", true },
	{ CONFIG_CAPTURE_SNAP_LENGTH, "[capture]\nsnap_length = 9000B\n", "9000B", true },
	{ CONFIG_CAPTURE_PROMISCUOUS, "[capture]\npromiscuous = no\n", "no", true },
	{ CONFIG_CAPTURE_TUNNELS, "[capture]\ntunnels = yes\n", "yes", true },
	{ CONFIG_CAPTURE_VXLAN_PORT, "[capture]\nvxlan_port = 4788\n", "4788", true },
	{ CONFIG_SCOPE_SERVICE, "[scope]\nservice = 993=imap+starttls\n",
	    "110=pop3+starttls, 143=imap+starttls, 465=smtp, 587=smtp+starttls, "
	    "993=imap+starttls, 995=pop3",
	    false },
	{ CONFIG_SCOPE_INTERNAL, "[scope]\ninternal = any\n", "any", false },
	{ CONFIG_SCOPE_NAMES, "[scope]\nnames = no\n", "no", true },
	{ CONFIG_POLICY_MINIMUM, "[policy]\nminimum = TLSv1.3\n", "TLSv1.3", false },
	{ CONFIG_POLICY_FALLBACK_WINDOW, "[policy]\nfallback_window = 30s\n", "30s", false },
	{ CONFIG_POLICY_SERVICES_FILE, "[policy]\nservices_file = /s\n", "/s", false },
	{ CONFIG_POLICY_SWITCH_OFF_HOST, "[policy]\nswitch_off_host = a.example\n", "a.example",
	    false },
	{ CONFIG_POLICY_SWITCH_OFF_NETWORK, "[policy]\nswitch_off_network = 192.0.2.0/24\n",
	    "192.0.2.0/24", false },
	{ CONFIG_STORE_DATABASE, "[store]\ndatabase = /d\n", "/d", true },
	{ CONFIG_STORE_FLUSH_INTERVAL, "[store]\nflush_interval = 2s\n", "2s", true },
	{ CONFIG_STORE_RETENTION, "[store]\nretention = never\n", "never", false },
	{ CONFIG_EVENTS_TO, "[events]\nto = /e\n", "/e", true },
	{ CONFIG_EVENTS_AS, "[events]\nas = eve\n", "eve", true },
	{ CONFIG_SESSIONS_DROPPED_WITHIN, "[sessions]\ndropped_within = 3s\n", "3s", false },
	{ CONFIG_SESSIONS_DROPPED_BYTES, "[sessions]\ndropped_bytes = 1KiB\n", "1KiB", false },
	{ CONFIG_SESSIONS_SHORT_WITHIN, "[sessions]\nshort_within = 1m\n", "1m", false },
	{ CONFIG_SESSIONS_SHORT_BYTES, "[sessions]\nshort_bytes = 8KiB\n", "8KiB", false },
	{ CONFIG_BUDGETS_FLOWS, "[budgets]\nflows = 131073\n", "131073", true },
	{ CONFIG_BUDGETS_UNSETTLED_FLOWS, "[budgets]\nunsettled_flows = 32767\n", "32767", true },
	{ CONFIG_BUDGETS_HELD, "[budgets]\nheld = 33MiB\n", "33MiB", true },
	{ CONFIG_BUDGETS_TALLY, "[budgets]\ntally = 65MiB\n", "65MiB", true },
	{ CONFIG_DAEMON_USER, "[daemon]\nuser = other\n", "other", true },
	{ CONFIG_DAEMON_LOG_LEVEL, "[daemon]\nlog_level = debug\n", "debug", false },
};

static void
init(void)
{
	config_fixture_init(&running);
}

static void
release(void)
{
	config_release(&running);
}

START_TEST(every_key_has_its_row)
{
	ck_assert_int_eq(ROWS(rows), CONFIG_KEY_COUNT);
	ck_assert_int_eq((int)rows[_i].key, _i);
}
END_TEST

START_TEST(a_changed_key_is_named_alone_with_what_it_needs)
{
	struct changes changes;

	config_fixture_read(&loaded, rows[_i].text);
	changes = compare();
	ck_assert_uint_eq(changes.count, 1);
	ck_assert_int_eq((int)changes.keys[0], (int)rows[_i].key);
	ck_assert(changes.needs_restart[0] == rows[_i].needs_restart);
	config_fixture_expect(&loaded, rows[_i].key, rows[_i].value);
	config_release(&loaded);
}
END_TEST

START_TEST(a_key_is_adopted_only_where_no_restart_is_needed)
{
	struct buf before = { 0 };
	size_t left = rows[_i].needs_restart ? 1 : 0;

	config_value_to_text(&running, rows[_i].key, &before);
	config_fixture_read(&loaded, rows[_i].text);
	config_adopt(&running, &loaded);
	config_release(&loaded);
	config_fixture_expect(
	    &running, rows[_i].key, left > 0 ? buf_text(&before) : rows[_i].value);
	/* The same file at the next reload: what waits for a restart is said again. */
	config_fixture_read(&loaded, rows[_i].text);
	ck_assert_uint_eq(compare().count, left);
	config_release(&loaded);
	buf_release(&before);
}
END_TEST

START_TEST(the_same_file_changes_nothing)
{
	config_fixture_read(&loaded, rows[_i].text);
	config_adopt(&running, &loaded);
	config_release(&loaded);
	config_release(&running);
	config_fixture_read(&running, rows[_i].text);
	config_fixture_read(&loaded, rows[_i].text);
	ck_assert_uint_eq(compare().count, 0);
	config_release(&loaded);
}
END_TEST

START_TEST(a_default_that_is_written_out_is_no_change)
{
	config_fixture_read(&loaded, "[policy]\nminimum = TLSv1.2\n[capture]\nbuffer = 65536KiB\n"
				     "[scope]\nservice = 993=imap\n[store]\nretention = 9600h\n");
	ck_assert_uint_eq(compare().count, 0);
	config_release(&loaded);
}
END_TEST

START_TEST(changes_are_named_in_the_order_of_the_file)
{
	struct changes changes;

	config_fixture_read(&loaded,
	    "[daemon]\nlog_level = error\n[capture]\nthreads = 4\n[scope]\ninternal = ::1\n");
	changes = compare();
	ck_assert_uint_eq(changes.count, 3);
	ck_assert_int_eq((int)changes.keys[0], (int)CONFIG_CAPTURE_THREADS);
	ck_assert_int_eq((int)changes.keys[1], (int)CONFIG_SCOPE_INTERNAL);
	ck_assert_int_eq((int)changes.keys[2], (int)CONFIG_DAEMON_LOG_LEVEL);
	ck_assert_uint_eq(config_compare(&running, &loaded, NULL, NULL), 3);
	config_release(&loaded);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, init, release);
	tcase_add_loop_test(tc, every_key_has_its_row, 0, ROWS(rows));
	tcase_add_loop_test(tc, a_changed_key_is_named_alone_with_what_it_needs, 0, ROWS(rows));
	tcase_add_loop_test(tc, a_key_is_adopted_only_where_no_restart_is_needed, 0, ROWS(rows));
	tcase_add_loop_test(tc, the_same_file_changes_nothing, 0, ROWS(rows));
	tcase_add_test(tc, a_default_that_is_written_out_is_no_change);
	tcase_add_test(tc, changes_are_named_in_the_order_of_the_file);
}

SUITE_MAIN("config_reload")
