/* What makes two events one finding, and what of them is kept: keys, texts, days. */
#include "base/timestamp.h"
#include "store_fixture.h"
#include "tally_rows.h"

#include "base/banned.h"

/* Each changes one member of an event. */
static void
other_client(struct event *ev)
{
	ev->client_ip.bytes[3]++;
}

static void
other_family(struct event *ev)
{
	ev->client_ip.family = 6;
}

static void
other_protocol(struct event *ev)
{
	ev->protocol = PROTOCOL_TLS;
}

static void
other_mode(struct event *ev)
{
	ev->tls_mode = TLS_MODE_STARTTLS;
}

static void
other_name(struct event *ev)
{
	ev->server_name.data[0] = 'n';
}

static void
longer_name(struct event *ev)
{
	ev->server_name.data[ev->server_name.len++] = '.';
}

static void
shorter_name(struct event *ev)
{
	ev->server_name.len--;
}

static void
other_port(struct event *ev)
{
	ev->server_port++;
}

static void
other_version(struct event *ev)
{
	ev->tls_version = V12;
}

static void
no_version(struct event *ev)
{
	ev->tls_version = 0;
}

static void
other_offer(struct event *ev)
{
	ev->offered_version = V13;
}

static void
other_outcome(struct event *ev)
{
	ev->outcome = OUTCOME_NEGOTIATED;
}

static void
other_side(struct event *ev)
{
	ev->refused_by = SIDE_CLIENT;
}

static void
other_refusal(struct event *ev)
{
	ev->refusal = REFUSAL_RESET;
}

static void
other_alert(struct event *ev)
{
	ev->refusal_alert = 70;
}

static void
other_client_port(struct event *ev)
{
	ev->client_port++;
}

static void
other_server_ip(struct event *ev)
{
	ev->server_ip.bytes[3]++;
}

static void
other_suite(struct event *ev)
{
	ev->has_cipher_suite = true;
	ev->cipher_suite = 0x1301;
}

static void
other_case(struct event *ev)
{
	ev->server_name.data[0] = 'M';
}

static void
other_gap(struct event *ev)
{
	ev->capture_gap = true;
}

static void
other_vlan(struct event *ev)
{
	ev->vlan = 5;
}

static void
other_source(struct event *ev)
{
	ev->server_name_source = NAME_SOURCE_DNS;
}

static const struct {
	const char *name;
	void (*change)(struct event *ev);
	size_t findings;
} differences[] = {
	{ "client", other_client, 2 },
	{ "family", other_family, 2 },
	{ "protocol", other_protocol, 2 },
	{ "mode", other_mode, 2 },
	{ "name", other_name, 2 },
	{ "longer name", longer_name, 2 },
	{ "shorter name", shorter_name, 2 },
	{ "port", other_port, 2 },
	{ "version", other_version, 2 },
	{ "no version", no_version, 2 },
	{ "offer", other_offer, 2 },
	{ "outcome", other_outcome, 2 },
	{ "side", other_side, 2 },
	{ "refusal", other_refusal, 2 },
	{ "alert", other_alert, 2 },
	{ "client port", other_client_port, 1 },
	{ "server address", other_server_ip, 1 },
	{ "cipher suite", other_suite, 1 },
	{ "case of the name", other_case, 1 },
	{ "gap", other_gap, 1 },
	{ "vlan", other_vlan, 1 },
	{ "source of the name", other_source, 1 },
};

START_TEST(what_is_in_the_key_makes_another_finding)
{
	struct event events[2];
	struct tally *t;

	events[0] = events[1] = handshake("10.0.0.1", "mail.example", V10, DAY);
	differences[_i].change(&events[1]);
	t = tally_of(events, 2);
	ck_assert_msg(tally_finding_count(t) == differences[_i].findings, "%s: %zu",
	    differences[_i].name, tally_finding_count(t));
	for (size_t i = 0; i < tally_finding_count(t); i++)
		ck_assert_uint_eq(finding_at(t, i).count, 2 / differences[_i].findings);
	tally_free(t);
}
END_TEST

static const struct {
	const char *server, *kept;
} servers[] = {
	{ "mail.example", "mail.example" },
	{ "MAIL.Example", "mail.example" },
	{ "@[`{", "@[`{" },
	{ "A\xc4Z", "a\xc4z" },
	{ "", "192.0.2.1" },
};

START_TEST(a_server_is_its_name_in_lower_case_or_its_address)
{
	struct event ev = handshake("10.0.0.1", servers[_i].server, V10, DAY);
	struct tally *t = tally_of(&ev, 1);
	struct finding f = finding_at(t, 0);

	ck_assert(span_equals(event_text_span(&f.key.server), span_from_text(servers[_i].kept)));
	tally_free(t);
}
END_TEST

START_TEST(the_longest_texts_are_kept_whole)
{
	struct event ev = handshake("10.0.0.1", "", V10, DAY);
	struct tally *t;
	struct finding f;
	struct tally_client c;

	ev.server_name.len = ev.client_name.len = ev.certificate_subject.len = EVENT_NAME_MAX;
	memset(ev.server_name.data, 'S', EVENT_NAME_MAX);
	memset(ev.client_name.data, 'C', EVENT_NAME_MAX);
	memset(ev.certificate_subject.data, 0, EVENT_NAME_MAX);
	t = tally_of(&ev, 1);
	f = finding_at(t, 0);
	c = client_at(t, 0);
	ck_assert_uint_eq(f.key.server.len, EVENT_NAME_MAX);
	ck_assert_int_eq(f.key.server.data[EVENT_NAME_MAX - 1], 's');
	ck_assert_uint_eq(c.name.len, EVENT_NAME_MAX);
	ck_assert_int_eq(c.name.data[EVENT_NAME_MAX - 1], 'C');
	ck_assert(span_equals(
	    event_text_span(&f.certificate_subject), event_text_span(&ev.certificate_subject)));
	tally_free(t);
}
END_TEST

static const struct {
	int64_t at, day;
} day_borders[] = {
	{ 0, 0 },
	{ 1, 0 },
	{ -1, -1 },
	{ USEC_PER_DAY - 1, 0 },
	{ USEC_PER_DAY, 1 },
	{ -USEC_PER_DAY, -1 },
	{ -USEC_PER_DAY - 1, -2 },
	{ DAY - 1, DAY / USEC_PER_DAY - 1 },
	{ DAY, DAY / USEC_PER_DAY },
	{ INT64_MAX, INT64_MAX / USEC_PER_DAY },
	{ INT64_MIN, INT64_MIN / USEC_PER_DAY - 1 },
};

START_TEST(a_day_begins_at_midnight_utc)
{
	struct event ev = handshake("10.0.0.1", "mail.example", V10, day_borders[_i].at);
	struct tally *t = tally_of(&ev, 1);
	struct tally_day d;

	tally_day_at(t, 0, &d);
	ck_assert_int_eq(d.day, day_borders[_i].day);
	ck_assert_int_eq(finding_at(t, 0).first_us, day_borders[_i].at);
	ck_assert_int_eq(finding_at(t, 0).last_us, day_borders[_i].at);
	tally_free(t);
}
END_TEST

START_TEST(days_are_told_apart_by_version_and_outcome_only)
{
	struct event events[] = {
		handshake("10.0.0.1", "a.example", V12, DAY),
		handshake("10.0.0.1", "b.example", V12, DAY + HOUR),
		handshake("10.0.0.1", "a.example", V10, DAY),
		refusal("10.0.0.1", "a.example", V10, DAY),
		refusal("10.0.0.1", "a.example", V12, DAY),
		handshake("10.0.0.1", "a.example", V12, DAY + 24 * HOUR),
		handshake("10.0.0.1", "a.example", V12, DAY - 24 * HOUR),
	};
	static const struct {
		int64_t day;
		uint16_t version;
		enum outcome outcome;
		uint64_t count;
	} expected[] = {
		{ -1, V12, OUTCOME_ESTABLISHED, 1 },
		{ 0, 0, OUTCOME_REFUSED, 2 },
		{ 0, V10, OUTCOME_ESTABLISHED, 1 },
		{ 0, V12, OUTCOME_ESTABLISHED, 2 },
		{ 1, V12, OUTCOME_ESTABLISHED, 1 },
	};
	struct tally *t = tally_of(events, 7);

	ck_assert_uint_eq(client_at(t, 0).day_count, 5);
	for (size_t i = 0; i < 5; i++) {
		struct tally_day d;

		tally_day_at(t, i, &d);
		ck_assert_int_eq(d.day - DAY / USEC_PER_DAY, expected[i].day);
		ck_assert_uint_eq(d.tls_version, expected[i].version);
		ck_assert_int_eq(d.outcome, expected[i].outcome);
		ck_assert_uint_eq(d.count, expected[i].count);
	}
	tally_free(t);
}
END_TEST

START_TEST(a_text_that_many_share_is_kept_once)
{
	struct tally *t = tally_new(NULL);
	struct event ev = numbered(0);

	event_text_set(&ev.certificate_subject, BYTES("CN=a name that is long enough to be seen"));
	ck_assert(tally_add(t, &ev));
	for (uint32_t n = 1; n < 2000; n++) {
		struct event other = numbered(n);

		other.certificate_subject = ev.certificate_subject;
		ck_assert(tally_add(t, &other));
	}
	ck_assert_uint_lt(tally_bytes(t) / 2000, 450);
	tally_free(t);
}
END_TEST

START_TEST(what_findings_have_in_common_has_one_number)
{
	struct tally *t = tally_new(NULL);
	struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY);
	struct tally_row rows[4];
	struct finding f = { 0 };

	ck_assert(tally_add(t, &ev));
	ev.client_ip.bytes[3]++;
	ck_assert(tally_add(t, &ev));
	ev.client_ip.bytes[3]++;
	ev.capture_gap = true;
	event_text_set(&ev.certificate_subject, BYTES("CN=mail.example"));
	ck_assert(tally_add(t, &ev));
	ev.tls_version = V12;
	ck_assert(tally_add(t, &ev));
	tally_sort(t);
	ck_assert_uint_eq(tally_kind_count(t), 2);
	ck_assert_uint_eq(tally_story_count(t), 2);
	for (size_t i = 0; i < 4; i++)
		tally_row_at(t, i, &rows[i]);
	ck_assert_uint_eq(rows[0].kind, rows[1].kind);
	ck_assert_uint_eq(rows[1].kind, rows[2].kind);
	ck_assert_uint_ne(rows[2].kind, rows[3].kind);
	ck_assert_uint_eq(rows[0].story, rows[1].story);
	ck_assert_uint_ne(rows[1].story, rows[2].story);
	ck_assert_uint_eq(rows[2].story, rows[3].story);
	ck_assert_uint_eq(rows[1].gap_count, 0);
	ck_assert_uint_eq(rows[2].gap_count, 1);
	tally_kind_at(t, rows[3].kind, &f.key);
	ck_assert_uint_eq(f.key.tls_version, V12);
	ck_assert(span_equals(event_text_span(&f.key.server), BYTES("mail.example")));
	tally_story_at(t, rows[3].story, &f);
	ck_assert(span_equals(event_text_span(&f.certificate_subject), BYTES("CN=mail.example")));
	tally_free(t);
}
END_TEST

START_TEST(suites_are_known_of_all_and_of_any_handshake)
{
	struct tally *t = tally_new(NULL);
	const uint64_t suites[] = { 7, 13, 5 };
	struct finding f, other;

	for (int i = 0; i < 3; i++) {
		struct event ev = handshake("10.0.0.1", "mail.example", V10, DAY + i);

		ev.suites = suites[i];
		ck_assert(tally_add(t, &ev));
	}
	tally_sort(t);
	f = finding_at(t, 0);
	ck_assert_uint_eq(f.suites_all, 5);
	ck_assert_uint_eq(f.suites_any, 15);
	other = f;
	other.suites_all = other.suites_any = 20;
	tally_finding_merge(&f, &other);
	ck_assert_uint_eq(f.suites_all, 4);
	ck_assert_uint_eq(f.suites_any, 31);
	tally_free(t);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, what_findings_have_in_common_has_one_number);
	tcase_add_test(tc, suites_are_known_of_all_and_of_any_handshake);
	tcase_add_loop_test(tc, what_is_in_the_key_makes_another_finding, 0, ROWS(differences));
	tcase_add_loop_test(
	    tc, a_server_is_its_name_in_lower_case_or_its_address, 0, ROWS(servers));
	tcase_add_test(tc, the_longest_texts_are_kept_whole);
	tcase_add_loop_test(tc, a_day_begins_at_midnight_utc, 0, ROWS(day_borders));
	tcase_add_test(tc, days_are_told_apart_by_version_and_outcome_only);
	tcase_add_test(tc, a_text_that_many_share_is_kept_once);
}

SUITE_MAIN("tally_tally_keys")
