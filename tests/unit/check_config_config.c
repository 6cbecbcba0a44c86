/* Values, options, and what config_init_defaults() makes. */
#include "suite.h"

#include <stdio.h>
#include <unistd.h>

#include "config_fixture.h"
#include "event/event.h"
#include "flow/flow_table.h"
#include "tally/tally.h"

#include "base/banned.h"

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

#define INTERNAL                                                                                   \
	"10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 169.254.0.0/16, 127.0.0.0/8, "  \
	"fc00::/7, fe80::/10, ::1"
#define SERVICES                                                                                   \
	"110=pop3+starttls, 143=imap+starttls, 465=smtp, 587=smtp+starttls, 993=imap, 995=pop3"

#if SIZE_MAX > UINT32_MAX
#define MEMORY_MAX "64GiB"
#else
#define MEMORY_MAX "2GiB"
#endif

static struct config config;

static void
init(void)
{
	config_fixture_init(&config);
}

static void
release(void)
{
	config_release(&config);
}

static enum config_key
key_of(const char *text)
{
	enum config_key key = CONFIG_SENSOR_NAME;

	ck_assert_msg(config_key_from_text(text, &key), "%s", text);
	return key;
}

static const struct {
	const char *key, *value;
} defaults[] = {
	{ "capture.interface", "" },
	{ "capture.threads", "1" },
	{ "capture.buffer", "64MiB" },
	{ "capture.snap_length", "72KiB" },
	{ "capture.promiscuous", "yes" },
	{ "capture.tunnels", "no" },
	{ "capture.vxlan_port", "" },
	{ "scope.service", SERVICES },
	{ "scope.internal", INTERNAL },
	{ "scope.names", "yes" },
	{ "policy.minimum", "TLSv1.2" },
	{ "policy.fallback_window", "10s" },
	{ "policy.services_file", "" },
	{ "policy.switch_off_host", "" },
	{ "policy.switch_off_network", "" },
	{ "store.database", "/var/lib/tlstally/tlstally.db" },
	{ "store.flush_interval", "1s" },
	{ "store.retention", "400d" },
	{ "events.to", "none" },
	{ "events.as", "tlstally" },
	{ "sessions.dropped_within", "10s" },
	{ "sessions.dropped_bytes", "512B" },
	{ "sessions.short_within", "30s" },
	{ "sessions.short_bytes", "4KiB" },
	{ "budgets.flows", "131072" },
	{ "budgets.unsettled_flows", "16384" },
	{ "budgets.held", "32MiB" },
	{ "budgets.tally", "64MiB" },
	{ "daemon.user", "tlstally" },
	{ "daemon.log_level", "notice" },
};

START_TEST(a_key_has_its_default)
{
	config_fixture_expect(&config, key_of(defaults[_i].key), defaults[_i].value);
}
END_TEST

START_TEST(every_key_but_the_sensor_has_a_default_in_the_table_above)
{
	ck_assert_int_eq(ROWS(defaults) + 1, CONFIG_KEY_COUNT);
}
END_TEST

START_TEST(the_sensor_is_called_like_the_host)
{
	char name[CONFIG_SENSOR_NAME_MAX + 1] = "";

	ck_assert_int_eq(gethostname(name, sizeof(name)), 0);
	ck_assert_str_eq(config.sensor_name, name[0] != '\0' ? name : "local");
}
END_TEST

START_TEST(the_members_hold_what_the_defaults_say)
{
	ck_assert_uint_eq(config.threads, 1);
	ck_assert_uint_eq(config.buffer_len, 67108864);
	ck_assert_uint_eq(config.snap_len, 73728);
	ck_assert(config.promiscuous && !config.tunnels);
	ck_assert_uint_eq(config.minimum, TLS_VERSION_1_2);
	ck_assert_int_eq(config.flush_interval_us, 1000000);
	ck_assert_int_eq(config.retention_us, INT64_C(400) * 86400 * 1000000);
	ck_assert_int_eq((int)config.events.kind, (int)CONFIG_EVENTS_NONE);
	ck_assert_ptr_null(config.events.path);
	ck_assert_int_eq((int)config.log_level, (int)LOG_NOTICE);
}
END_TEST

START_TEST(budgets_by_default_are_those_of_the_modules)
{
	struct flow_options flows;

	flow_options_init(&flows);
	ck_assert_uint_eq(config.max_flows, flows.max_flows);
	ck_assert_uint_eq(config.max_unsettled, flows.max_unsettled);
	ck_assert_uint_eq(config.max_held_len, flows.max_held_len);
	ck_assert_uint_eq(config.max_tally_len, TALLY_DEFAULT_MAX_BYTES);
}
END_TEST

START_TEST(limits_of_endings_by_default_are_those_of_the_module)
{
	struct event_ending_limits limits;

	event_ending_limits_init(&limits);
	ck_assert_int_eq(config.dropped_within_us, limits.dropped_us);
	ck_assert_uint_eq(config.dropped_len, limits.dropped_len);
	ck_assert_int_eq(config.short_within_us, limits.short_us);
	ck_assert_uint_eq(config.short_len, limits.short_len);
	ck_assert_uint_eq(config.minimum, limits.minimum);
}
END_TEST

/* An option, and the value as it is written. */
static const struct {
	const char *key, *given, *written;
} good[] = {
	{ "sensor.name", "a", "a" },
	{ "sensor.name",
	    "Zweigstelle S\xc3\xbc"
	    "d, 2. OG",
	    "Zweigstelle S\xc3\xbc"
	    "d, 2. OG" },
	{ "sensor.name", "0123456789012345678901234567890123456789012345678901234567890123",
	    "0123456789012345678901234567890123456789012345678901234567890123" },
	{ "capture.interface", "eth0", "eth0" },
	{ "capture.interface", " eth0 ,br-12:5\t,any", "eth0, br-12:5, any" },
	{ "capture.threads", "64", "64" },
	{ "capture.threads", "007", "7" },
	{ "capture.buffer", "1MiB", "1MiB" },
	{ "capture.buffer", "1048577B", "1048577B" },
	{ "capture.buffer", "2047MiB", "2047MiB" },
	{ "capture.buffer", "2048KiB", "2MiB" },
	{ "capture.snap_length", "128B", "128B" },
	{ "capture.snap_length", "256KiB", "256KiB" },
	{ "capture.promiscuous", "no", "no" },
	{ "capture.tunnels", "yes", "yes" },
	{ "capture.vxlan_port", "4788", "4788" },
	{ "capture.vxlan_port", "4788, 250", "4788, 250" },
	{ "scope.service", "25=smtp+starttls", "25=smtp+starttls, " SERVICES },
	{ "scope.service", "25=smtp, 2525=tls+starttls",
	    "25=smtp, " SERVICES ", 2525=tls+starttls" },
	{ "scope.internal", "any", "any" },
	{ "scope.internal", "192.0.2.77/24 , ::/0,198.51.100.1",
	    "192.0.2.0/24, ::/0, 198.51.100.1" },
	{ "policy.minimum", "tlsv1.3", "TLSv1.3" },
	{ "policy.minimum", "SSLv3", "SSLv3" },
	{ "policy.switch_off_host", "Mail.Example.COM", "mail.example.com" },
	{ "policy.switch_off_host", "*.example.com,localhost,_x.7-eleven.example",
	    "*.example.com, localhost, _x.7-eleven.example" },
	{ "policy.switch_off_network", "2001:DB8::/32", "2001:db8::/32" },
	{ "store.database", "./tlstally.db", "./tlstally.db" },
	{ "store.flush_interval", "100ms", "100ms" },
	{ "store.flush_interval", "60m", "1h" },
	{ "store.flush_interval", "1500ms", "1500ms" },
	{ "store.retention", "24h", "1d" },
	{ "store.retention", "36500d", "36500d" },
	{ "store.retention", "2w", "2w" },
	{ "store.retention", "never", "never" },
	{ "events.to", "syslog", "syslog" },
	{ "events.to", "none", "none" },
	{ "events.to", "-", "-" },
	{ "events.as", "ecs", "ecs" },
	{ "events.as", "zeek", "zeek" },
	{ "events.as", "eve", "eve" },
	{ "events.as", "splunk", "splunk" },
	{ "events.to", "/var/log/tlstally/events.json", "/var/log/tlstally/events.json" },
	{ "budgets.flows", "16777216", "16777216" },
	{ "budgets.unsettled_flows", "256", "256" },
	{ "budgets.held", MEMORY_MAX, MEMORY_MAX },
	{ "budgets.tally", "1MiB", "1MiB" },
	{ "daemon.user", "_tls-tally0", "_tls-tally0" },
	{ "daemon.log_level", "error", "error" },
	{ "daemon.log_level", "debug", "debug" },
};

START_TEST(an_option_sets_its_key)
{
	struct error err = { 0 };

	ck_assert_msg(config_set(&config, good[_i].key, good[_i].given, &err) == 0, "%s", err.text);
	config_fixture_expect(&config, key_of(good[_i].key), good[_i].written);
}
END_TEST

#define TEN "0123456789"
#define LABEL_63 TEN TEN TEN TEN TEN TEN "abc"

static const struct {
	const char *key, *value, *says;
} bad[] = {
	{ "sensor.name", "", "has no value" },
	{ "sensor.name", TEN TEN TEN TEN TEN TEN "01234", "1 to 64 bytes" },
	{ "sensor.name", "a\033[31m", "control characters" },
	{ "capture.interface", "eth 0", "is no interface" },
	{ "capture.interface", "net/eth0", "is no interface" },
	{ "capture.interface", "enx0011223344556", "of at most 15 characters" },
	{ "capture.interface", "eth\xc3\xbc", "is no interface" },
	{ "capture.interface", "nfqueue:3", "give nflog:GROUP, which only hears them" },
	{ "capture.interface", "nfqueue", "out of the firewall's hands" },
	{ "capture.interface", "eth0,", "empty entry" },
	{ "capture.interface", ",eth0", "empty entry" },
	{ "capture.interface", " ", "empty entry" },
	{ "capture.interface", "eth0,eth1,eth0", "'eth0' is given twice" },
	{ "capture.threads", "0", "from 1 to 64" },
	{ "capture.threads", "65", "from 1 to 64" },
	{ "capture.threads", "-1", "from 1 to 64" },
	{ "capture.threads", "+1", "from 1 to 64" },
	{ "capture.threads", " 1", "from 1 to 64" },
	{ "capture.threads", "1.0", "from 1 to 64" },
	{ "capture.threads", "0x1", "from 1 to 64" },
	{ "capture.threads", "1 ", "from 1 to 64" },
	{ "capture.threads", "18446744073709551617", "from 1 to 64" }, /* 2^64 + 1 */
	{ "capture.buffer", "64", "from 1MiB to 2047MiB" },
	{ "capture.buffer", "64MB", "B, KiB, MiB or GiB" },
	{ "capture.buffer", "64mib", "B, KiB, MiB or GiB" },
	{ "capture.buffer", "64 MiB", "nothing between them" },
	{ "capture.buffer", "1.5GiB", "whole number" },
	{ "capture.buffer", "1048575B", "from 1MiB" },
	{ "capture.buffer", "2GiB", "to 2047MiB" },
	{ "capture.buffer", "MiB", "is no size" },
	{ "capture.buffer", "17179869184GiB", "is no size" }, /* 2^64 */
	{ "capture.buffer", "17179869185GiB", "is no size" },
	{ "capture.snap_length", "127B", "from 128B to 256KiB" },
	{ "capture.snap_length", "262145B", "from 128B to 256KiB" },
	{ "capture.promiscuous", "on", "neither yes nor no" },
	{ "capture.tunnels", "YES", "neither yes nor no" },
	{ "capture.vxlan_port", "0", "'0' is no list of ports" },
	{ "scope.service", "993", "PORT=" },
	{ "scope.service", "65536=imap", "from 1 to 65535" },
	{ "scope.service", "25=smtp,26=foo", "'foo' is none of imap" },
	{ "scope.internal", "10.0.0.0/33", "'10.0.0.0/33' is no network" },
	{ "scope.internal", "10.0.0.0/8,,::1", "empty entry" },
	{ "policy.minimum", "TLSv1.4", "'TLSv1.4' is no version" },
	{ "policy.minimum", "", "has no value" },
	{ "policy.switch_off_host", "192.0.2.1", "is no host name" },
	{ "policy.switch_off_host", "a..b", "is no host name" },
	{ "policy.switch_off_host", ".a", "is no host name" },
	{ "policy.switch_off_host", "a.", "is no host name" },
	{ "policy.switch_off_host", "*", "is no host name" },
	{ "policy.switch_off_host", "*.", "is no host name" },
	{ "policy.switch_off_host", "a.*.b", "is no host name" },
	{ "policy.switch_off_host", "https://a", "is no host name" },
	{ "policy.switch_off_host", LABEL_63 "d.example", "is no host name" },
	{ "policy.switch_off_host",
	    LABEL_63 "." LABEL_63 "." LABEL_63 "." TEN TEN TEN TEN TEN TEN "ab",
	    "is no host name" }, /* 254 */
	{ "policy.switch_off_host", "a.example,A.example", "'a.example' is given twice" },
	{ "policy.switch_off_network", "example.com", "is no network" },
	{ "store.database", "", "has no value" },
	{ "store.database", "/var/lib/", "is no path" },
	{ "store.database", "a\nb", "is no path" },
	{ "store.flush_interval", "1", "from 100ms to 1h" },
	{ "store.flush_interval", "99ms", "from 100ms to 1h" },
	{ "store.flush_interval", "3601s", "from 100ms to 1h" },
	{ "store.flush_interval", "1 s", "nothing between them" },
	{ "store.flush_interval", "never", "is no time" },
	{ "store.flush_interval", "1sec", "ms, s, m, h, d or w" },
	{ "store.flush_interval", "18446744073710s", "is no time" }, /* past 2^64 us */
	{ "store.retention", "0", "or never" },
	{ "store.retention", "23h", "from 1d to 36500d" },
	{ "store.retention", "36501d", "from 1d to 36500d" },
	{ "events.to", "", "has no value" },
	{ "events.to", "/var/log/", "is no place for events" },
	{ "events.as", "ECS", "is no form" },
	{ "budgets.flows", "1023", "from 1024 to 16777216" },
	{ "budgets.flows", "16777217", "from 1024 to 16777216" },
	{ "budgets.unsettled_flows", "255", "from 256 to 16777216" },
	{ "budgets.held", "1023KiB", "from 1MiB to " MEMORY_MAX },
	{ "budgets.tally", "65GiB", "from 1MiB to " MEMORY_MAX },
	{ "daemon.user", "Root", "is no user name" },
	{ "daemon.user", "0tls", "is no user name" },
	{ "daemon.user", "-tls", "is no user name" },
	{ "daemon.user", "a b", "is no user name" },
	{ "daemon.user", TEN TEN TEN "ab", "is no user name" },
	{ "daemon.log_level", "info", "error, warning, notice, debug" },
};

START_TEST(a_bad_value_is_refused_with_what_would_be_right)
{
	struct error err = { 0 };

	ck_assert_int_eq(config_set(&config, bad[_i].key, bad[_i].value, &err), -1);
	ck_assert_msg(strstr(err.text, bad[_i].says) != NULL, "%s", err.text);
}
END_TEST

START_TEST(a_bad_scalar_leaves_the_value_alone)
{
	enum config_key key = key_of(bad[_i].key);
	struct config before;
	struct error err;

	if (key == CONFIG_CAPTURE_INTERFACE || key == CONFIG_SCOPE_SERVICE ||
	    key == CONFIG_SCOPE_INTERNAL || key == CONFIG_POLICY_SWITCH_OFF_HOST ||
	    key == CONFIG_POLICY_SWITCH_OFF_NETWORK)
		return;
	config_fixture_init(&before);
	ck_assert_int_eq(config_set(&config, bad[_i].key, bad[_i].value, &err), -1);
	ck_assert_uint_eq(config_compare(&before, &config, NULL, NULL), 0);
	config_release(&before);
}
END_TEST

static const char *const no_keys[] = { "", ".", "policy", "policy.", "policy.minimu",
	"policy.minimumm", "policyminimum", "polic.minimum", "Policy.minimum", "store.minimum",
	"policy.minimum.", " policy.minimum" };

START_TEST(what_is_no_key_cannot_be_set)
{
	struct error err = { 0 };

	ck_assert_int_eq(config_set(&config, no_keys[_i], "TLSv1.2", &err), -1);
	ck_assert_msg(strstr(err.text, "is no key") != NULL, "%s", err.text);
}
END_TEST

START_TEST(the_last_of_two_options_counts)
{
	struct error err;

	ck_assert_int_eq(config_set(&config, "policy.minimum", "TLSv1.3", &err), 0);
	ck_assert_int_eq(config_set(&config, "policy.minimum", "TLSv1.1", &err), 0);
	config_fixture_expect(&config, CONFIG_POLICY_MINIMUM, "TLSv1.1");
	ck_assert_int_eq(config_set(&config, "scope.service", "993=imap", &err), 0);
	ck_assert_int_eq(config_set(&config, "scope.service", "993=pop3", &err), 0);
	ck_assert_int_eq((int)service_set_find(&config.services, 993).protocol, (int)PROTOCOL_POP3);
}
END_TEST

START_TEST(options_add_up_to_a_list_that_replaces_the_one_below)
{
	struct error err;

	release();
	config_fixture_read(&config,
	    "[scope]\ninternal = 10.0.0.0/8\nservice = 2525=smtp, 993=pop3\n"
	    "[capture]\ninterface = eth0\ninterface = eth1\n");
	config_fixture_expect(&config, CONFIG_SCOPE_INTERNAL, "10.0.0.0/8");
	config_fixture_expect(&config, CONFIG_CAPTURE_INTERFACE, "eth0, eth1");
	ck_assert_int_eq(config_set(&config, "scope.internal", "192.0.2.0/24", &err), 0);
	ck_assert_int_eq(config_set(&config, "scope.internal", "::1", &err), 0);
	ck_assert_int_eq(config_set(&config, "capture.interface", "eth0", &err), 0);
	config_fixture_expect(&config, CONFIG_SCOPE_INTERNAL, "192.0.2.0/24, ::1");
	config_fixture_expect(&config, CONFIG_CAPTURE_INTERFACE, "eth0");
	ck_assert_int_eq(config_set(&config, "scope.service", "993=imap", &err), 0);
	config_fixture_expect(&config, CONFIG_SCOPE_SERVICE, SERVICES ", 2525=smtp");
}
END_TEST

START_TEST(any_of_the_file_does_not_outlive_an_option)
{
	struct addr outside;
	struct error err;

	ck_assert(addr_from_text("198.51.100.1", &outside));
	release();
	config_fixture_read(&config, "[scope]\ninternal = any\n");
	ck_assert(network_set_contains(&config.internal, &outside));
	ck_assert_int_eq(config_set(&config, "scope.internal", "192.0.2.0/24", &err), 0);
	ck_assert(!network_set_contains(&config.internal, &outside));
}
END_TEST

START_TEST(a_list_has_an_end)
{
	struct error err;
	char text[32];

	for (int i = 0; i < CONFIG_LIST_MAX; i++) {
		(void)snprintf(text, sizeof(text), "h%d.example", i);
		ck_assert_int_eq(config_set(&config, "policy.switch_off_host", text, &err), 0);
		(void)snprintf(text, sizeof(text), "10.1.%d.%d", i / 256, i % 256);
		ck_assert_int_eq(config_set(&config, "scope.internal", text, &err), 0);
	}
	ck_assert_int_eq(config_set(&config, "policy.switch_off_host", "one-more", &err), -1);
	ck_assert_msg(strstr(err.text, "one too many") != NULL, "%s", err.text);
	ck_assert_int_eq(config_set(&config, "scope.internal", "10.2.0.0", &err), -1);
	ck_assert_msg(strstr(err.text, "one too many") != NULL, "%s", err.text);
	ck_assert_uint_eq(config.switch_off_hosts.count, CONFIG_LIST_MAX);
	ck_assert_uint_eq(config.internal.count, CONFIG_LIST_MAX);
}
END_TEST

START_TEST(unsettled_flows_are_part_of_all)
{
	struct config_faults faults = { 0 };
	struct error err;

	ck_assert_int_eq(config_check(&config, &faults), 0);
	ck_assert_int_eq(config_set(&config, "budgets.flows", "16384", &err), 0);
	ck_assert_int_eq(config_check(&config, &faults), 0);
	ck_assert_int_eq(config_set(&config, "budgets.flows", "16383", &err), 0);
	ck_assert_int_eq(config_check(&config, &faults), -1);
	ck_assert_uint_eq(faults.count, 1);
	ck_assert_str_eq(faults.items[0].key, "flows");
	config_faults_release(&faults);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, init, release);
	tcase_add_loop_test(tc, a_key_has_its_default, 0, ROWS(defaults));
	tcase_add_test(tc, every_key_but_the_sensor_has_a_default_in_the_table_above);
	tcase_add_test(tc, the_sensor_is_called_like_the_host);
	tcase_add_test(tc, the_members_hold_what_the_defaults_say);
	tcase_add_test(tc, budgets_by_default_are_those_of_the_modules);
	tcase_add_test(tc, limits_of_endings_by_default_are_those_of_the_module);
	tcase_add_loop_test(tc, an_option_sets_its_key, 0, ROWS(good));
	tcase_add_loop_test(tc, a_bad_value_is_refused_with_what_would_be_right, 0, ROWS(bad));
	tcase_add_loop_test(tc, a_bad_scalar_leaves_the_value_alone, 0, ROWS(bad));
	tcase_add_loop_test(tc, what_is_no_key_cannot_be_set, 0, ROWS(no_keys));
	tcase_add_test(tc, the_last_of_two_options_counts);
	tcase_add_test(tc, options_add_up_to_a_list_that_replaces_the_one_below);
	tcase_add_test(tc, any_of_the_file_does_not_outlive_an_option);
	tcase_add_test(tc, a_list_has_an_end);
	tcase_add_test(tc, unsettled_flows_are_part_of_all);
}

SUITE_MAIN("config_config")
