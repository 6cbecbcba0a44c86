/* A tally tells the same as a plain model, which joins events one by one in a list. */
#include "base/timestamp.h"
#include "store_fixture.h"

#include "base/banned.h"

#define MODEL_MAX 4096

/* A client's day or hour; unused members are 0. */
struct model_span {
	struct addr ip;
	int64_t at;
	uint16_t version;
	enum outcome outcome;
	uint64_t count, short_count, failed, accepted, names;
};

struct model_client {
	struct addr ip;
	uint64_t count;
	int64_t first_us, last_us, mac_us;
	uint8_t mac;
	struct cadence cadence;
};

struct model {
	struct finding findings[MODEL_MAX];
	struct model_span days[MODEL_MAX], hours[MODEL_MAX];
	struct model_client clients[64];
	size_t finding_count, day_count, hour_count, client_count;
};

static struct finding_key
key_of(const struct event *ev)
{
	struct finding_key key = {
		.client_ip = ev->client_ip,
		.protocol = ev->protocol,
		.tls_mode = ev->tls_mode,
		.server = ev->server_name,
		.server_port = ev->server_port,
		.tls_version = ev->tls_version,
		.offered_version = ev->offered_version,
		.outcome = ev->outcome,
		.refused_by = ev->refused_by,
		.refusal = ev->refusal,
		.refusal_alert = ev->refusal_alert,
	};
	char text[ADDR_TEXT_LEN];

	if (key.server.len == 0)
		event_text_set(&key.server, span_from_text(addr_to_text(&ev->server_ip, text)));
	for (size_t i = 0; i < key.server.len; i++) {
		if (key.server.data[i] >= 'A' && key.server.data[i] <= 'Z')
			key.server.data[i] = (char)(key.server.data[i] | 0x20);
	}
	return key;
}

/* Adds it to the one with the same key, or behind the last. */
static void
model_join(struct model *m, const struct finding *f)
{
	for (size_t i = 0; i < m->finding_count; i++) {
		if (tally_key_compare(&m->findings[i].key, &f->key) == 0) {
			tally_finding_merge(&m->findings[i], f);
			return;
		}
	}
	ck_assert_uint_lt(m->finding_count, MODEL_MAX);
	m->findings[m->finding_count++] = *f;
}

static struct model_span *
span_of(struct model_span *spans, size_t *count, const struct model_span *wanted)
{
	for (size_t i = 0; i < *count; i++) {
		if (addr_equals(&spans[i].ip, &wanted->ip) && spans[i].at == wanted->at &&
		    spans[i].version == wanted->version && spans[i].outcome == wanted->outcome)
			return &spans[i];
	}
	ck_assert_uint_lt(*count, MODEL_MAX);
	spans[*count] = *wanted;
	return &spans[(*count)++];
}

static struct model_client *
client_of(struct model *m, const struct addr *ip)
{
	for (size_t i = 0; i < m->client_count; i++) {
		if (addr_equals(&m->clients[i].ip, ip))
			return &m->clients[i];
	}
	ck_assert_uint_lt(m->client_count, 64);
	m->clients[m->client_count] = (struct model_client){
		.ip = *ip, .first_us = INT64_MAX, .last_us = INT64_MIN, .mac_us = INT64_MIN
	};
	return &m->clients[m->client_count++];
}

static void
model_add_ending(struct model *m, const struct event *ev)
{
	const struct event_ending *e = &ev->ending;
	struct finding f = { .key = key_of(ev),
		.first_us = INT64_MAX,
		.last_us = INT64_MIN,
		.suites_all = UINT64_MAX };
	struct model_span *hour = span_of(m->hours, &m->hour_count,
	    &(struct model_span){ .ip = ev->client_ip, .at = timestamp_hour(ev->timestamp_us) });

	hour->count++;
	hour->short_count += e->is_short;
	hour->failed += e->failed_logins;
	hour->accepted += e->accepted_logins;
	hour->names = e->names_in_hour > hour->names ? e->names_in_hour : hour->names;
	(void)client_of(m, &ev->client_ip);
	if (e->how != SESSION_END_UNSEEN) {
		f.ended_count = 1;
		f.dropped_early_count = e->dropped_early;
		f.dropped_early_us = e->dropped_early ? (e->duration_us + 999) / 1000 * 1000 : 0;
		f.dropped_early_len = e->dropped_early ? e->server_len : 0;
	}
	model_join(m, &f);
}

static void
model_add(struct model *m, const struct event *ev)
{
	struct finding f = {
		.key = key_of(ev),
		.count = 1,
		.gap_count = ev->capture_gap,
		.login_count = ev->login,
		.scsv_count = ev->fallback_scsv == TRI_TRUE,
		.first_us = ev->timestamp_us,
		.last_us = ev->timestamp_us,
		.server_ip = ev->server_ip,
		.server_name_source = ev->server_name_source,
		.has_cipher_suite = ev->has_cipher_suite,
		.cipher_suite = ev->has_cipher_suite ? ev->cipher_suite : 0,
		.limited_by = ev->limited_by,
		.suites_all = ev->suites,
		.suites_any = ev->suites,
		.certificate_subject = ev->certificate_subject,
		.offers_aead = ev->offers_aead,
		.offers_ecdhe = ev->offers_ecdhe,
	};
	struct model_client *c = client_of(m, &ev->client_ip);

	model_join(m, &f);
	span_of(m->days, &m->day_count,
	    &(struct model_span){ .ip = ev->client_ip,
		.at = ev->timestamp_us / USEC_PER_DAY,
		.version = ev->tls_version,
		.outcome = ev->outcome })
	    ->count++;
	cadence_add_time(&c->cadence, ev->timestamp_us);
	if (c->count > 0)
		cadence_add_gap(&c->cadence, ev->timestamp_us - c->last_us);
	c->count++;
	c->first_us = ev->timestamp_us < c->first_us ? ev->timestamp_us : c->first_us;
	c->last_us = ev->timestamp_us > c->last_us ? ev->timestamp_us : c->last_us;
	if (ev->has_client_mac && ev->timestamp_us >= c->mac_us) {
		c->mac_us = ev->timestamp_us;
		c->mac = ev->client_mac[5];
	}
}

static void
model_mark(struct model *m, const struct fallback_mark *mark)
{
	struct finding f = { .key = mark->key,
		.first_us = INT64_MAX,
		.last_us = INT64_MIN,
		.suites_all = UINT64_MAX,
		.fallback_count = mark->count,
		.fallback_from = mark->from };

	model_join(m, &f);
}

/* Takes up what a tally tells, as the store does with one flush after the other. */
static void
model_take(struct model *m, struct tally *t)
{
	tally_sort(t);
	for (size_t i = 0; i < tally_client_count(t); i++) {
		struct model_client *mc;
		struct tally_client c;

		tally_client_at(t, i, &c);
		mc = client_of(m, &c.ip);
		mc->count += c.event_count;
		mc->first_us = c.first_us < mc->first_us ? c.first_us : mc->first_us;
		mc->last_us = c.last_us > mc->last_us ? c.last_us : mc->last_us;
		if (c.has_mac)
			mc->mac = c.mac[5];
		cadence_merge(&mc->cadence, &c.cadence);
		for (size_t k = 0; k < c.finding_count; k++) {
			struct finding f;

			tally_finding_at(t, c.first_finding + k, &f);
			ck_assert(addr_equals(&f.key.client_ip, &c.ip));
			model_join(m, &f);
		}
		for (size_t k = 0; k < c.day_count; k++) {
			struct tally_day d;

			tally_day_at(t, c.first_day + k, &d);
			span_of(m->days, &m->day_count,
			    &(struct model_span){ .ip = c.ip,
				.at = d.day,
				.version = d.tls_version,
				.outcome = d.outcome })
			    ->count += d.count;
		}
		for (size_t k = 0; k < c.hour_count; k++) {
			struct model_span *hour;
			struct tally_hour h;

			tally_hour_at(t, c.first_hour + k, &h);
			hour = span_of(m->hours, &m->hour_count,
			    &(struct model_span){ .ip = c.ip, .at = h.hour });
			hour->count += h.sessions;
			hour->short_count += h.short_sessions;
			hour->failed += h.failed_logins;
			hour->accepted += h.accepted_logins;
			if (h.failed_names > hour->names)
				hour->names = h.failed_names;
		}
	}
}

static int
compare_findings(const void *pa, const void *pb)
{
	const struct finding *a = pa, *b = pb;

	return tally_key_compare(&a->key, &b->key);
}

static int
compare_spans(const void *pa, const void *pb)
{
	const struct model_span *a = pa, *b = pb;
	int order = addr_compare(&a->ip, &b->ip);

	if (order != 0)
		return order;
	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->version != b->version)
		return a->version < b->version ? -1 : 1;
	return a->outcome < b->outcome ? -1 : a->outcome > b->outcome;
}

static int
compare_clients(const void *pa, const void *pb)
{
	const struct model_client *a = pa, *b = pb;

	return addr_compare(&a->ip, &b->ip);
}

static void
dump_spans(struct buf *out, struct model_span *spans, size_t count)
{
	char ip[ADDR_TEXT_LEN];

	qsort(spans, count, sizeof(*spans), compare_spans);
	for (size_t i = 0; i < count; i++) {
		const struct model_span *s = &spans[i];

		buf_addf(out, "%s %lld %x %u: %llu %llu %llu %llu %llu\n", addr_to_text(&s->ip, ip),
		    (long long)s->at, s->version, (unsigned)s->outcome,
		    (unsigned long long)s->count, (unsigned long long)s->short_count,
		    (unsigned long long)s->failed, (unsigned long long)s->accepted,
		    (unsigned long long)s->names);
	}
}

static void
dump_model(struct model *m, bool with_cadence, struct buf *out)
{
	char ip[ADDR_TEXT_LEN];

	qsort(m->findings, m->finding_count, sizeof(*m->findings), compare_findings);
	qsort(m->clients, m->client_count, sizeof(*m->clients), compare_clients);
	for (size_t i = 0; i < m->finding_count; i++) {
		const struct finding *f = &m->findings[i];

		dump_finding(out, f);
		buf_addf(out, "  %llu %llu %lld %llu\n", (unsigned long long)f->ended_count,
		    (unsigned long long)f->dropped_early_count, (long long)f->dropped_early_us,
		    (unsigned long long)f->dropped_early_len);
	}
	for (size_t i = 0; i < m->client_count; i++) {
		const struct model_client *c = &m->clients[i];

		buf_addf(out, "%s %llu %lld %lld %u", addr_to_text(&c->ip, ip),
		    (unsigned long long)c->count, (long long)c->first_us, (long long)c->last_us,
		    c->mac);
		for (unsigned k = 0; with_cadence && k < CADENCE_CLASSES; k++)
			buf_addf(out, " %u/%llu", c->cadence.gap_count[k],
			    (unsigned long long)c->cadence.gap_sum_ms[k]);
		for (unsigned k = 0; with_cadence && k < CADENCE_HOURS; k++)
			buf_addf(out, " %u", c->cadence.hours[k]);
		buf_add_char(out, '\n');
	}
	dump_spans(out, m->days, m->day_count);
	dump_spans(out, m->hours, m->hour_count);
}

/* Where `gappy`, what an event knows changes from one to the next. */
static struct event
next_event(uint64_t *state, int64_t at, bool gappy)
{
	struct event ev = random_event(state, at);
	uint32_t r = next_random(state);

	ev.client_name.len = 0;
	ev.fallback_scsv = r % 7 == 0 ? TRI_TRUE : TRI_FALSE;
	ev.login = r % 11 == 0;
	ev.suites = (uint64_t)1 << next_random(state) % 5 | 2;
	ev.offers_aead = next_random(state) % 2 == 0;
	ev.offers_ecdhe = next_random(state) % 2 == 0;
	event_text_set(&ev.certificate_subject, BYTES("CN=one"));
	ev.certificate_subject.data[3] = (char)('a' + next_random(state) % 3);
	if (gappy && next_random(state) % 2 == 0)
		ev.certificate_subject.len = 0;
	if (gappy && next_random(state) % 2 == 0)
		ev.has_cipher_suite = false;
	if (gappy && next_random(state) % 3 == 0)
		ev.limited_by = SIDE_SERVER;
	return ev;
}

static struct event
end_of(const struct event *ev, uint64_t *state)
{
	struct event end = session_end(ev, (int64_t)(next_random(state) % 6000000),
	    next_random(state) % 2 == 0 ? 100 : 100000);

	if (next_random(state) % 5 == 0)
		end.ending.how = SESSION_END_UNSEEN;
	end.ending.failed_logins = (uint16_t)(next_random(state) % 3);
	end.ending.accepted_logins = (uint16_t)(next_random(state) % 2);
	end.ending.names_in_hour = (uint16_t)(next_random(state) % 100);
	return end;
}

static const struct {
	const char *name;
	size_t max_bytes; /* 0: enough for all */
	int events;
	int64_t step_us, disorder_us;
	bool gappy;
	bool sorted_in_between;
} runs[] = {
	{ "all in one tally", 0, 6000, 7 * SECOND, 0, true, false },
	{ "in disorder", 0, 6000, 7 * SECOND, HOUR, true, false },
	{ "many at the same time", 0, 6000, 0, 2, true, false },
	{ "over many days", 0, 3000, 3 * HOUR, HOUR, true, false },
	{ "over centuries", 0, 3000, 720 * HOUR, HOUR, true, false },
	{ "sorted in between", 0, 3000, HOUR, HOUR, true, true },
	{ "in disorder, and little room", 300000, 20000, SECOND, 10 * SECOND, false, false },
	{ "little room", 120000, 20000, SECOND, 0, true, false },
	{ "hardly any room", 90000, 20000, SECOND, 0, true, true },
	{ "no room", 1, 3000, SECOND, 0, true, false },
};

static void
take_all(struct model *flushed, struct tally *t)
{
	model_take(flushed, t);
	tally_clear(t);
}

START_TEST(a_tally_tells_what_a_plain_list_would)
{
	struct tally_options options = { .max_bytes = runs[_i].max_bytes };
	struct tally *t = tally_new(&options);
	struct model *wanted = xcalloc(1, sizeof(*wanted)), *got = xcalloc(1, sizeof(*got));
	uint64_t state = 5 + (uint64_t)_i;
	struct buf a = { 0 }, b = { 0 };
	struct event before = handshake("10.0.0.9", "a.example", V12, DAY);

	for (int i = 0; i < runs[_i].events; i++) {
		int64_t at = DAY + i * runs[_i].step_us;
		struct event ev, end;

		if (runs[_i].disorder_us > 0)
			at += (int64_t)next_random(&state) % runs[_i].disorder_us;
		else
			at += i;
		ev = next_event(&state, at, runs[_i].gappy);
		model_add(wanted, &ev);
		if (!tally_add(t, &ev)) {
			take_all(got, t);
			ck_assert(tally_add(t, &ev));
		}
		if (next_random(&state) % 3 == 0) {
			end = end_of(next_random(&state) % 2 == 0 ? &ev : &before, &state);
			model_add_ending(wanted, &end);
			if (!tally_add(t, &end)) {
				take_all(got, t);
				ck_assert(tally_add(t, &end));
			}
		}
		if (next_random(&state) % 10 == 0) {
			struct fallback_mark mark = { .key = key_of(&ev),
				.count = next_random(&state) % 2,
				.from = next_random(&state) % 2 == 0 ? V12 : V13 };

			model_mark(wanted, &mark);
			if (!tally_mark_fallback(t, &mark)) {
				take_all(got, t);
				ck_assert(tally_mark_fallback(t, &mark));
			}
		}
		if (next_random(&state) % 4 == 0)
			before = ev;
		if (runs[_i].sorted_in_between && i % 50 == 0)
			tally_sort(t);
	}
	take_all(got, t);
	dump_model(wanted, runs[_i].max_bytes == 0, &a);
	dump_model(got, runs[_i].max_bytes == 0, &b);
	ck_assert_uint_gt(wanted->finding_count, 100);
	ck_assert_msg(strcmp(buf_text(&a), buf_text(&b)) == 0, "%s:\n%s\nnot\n%s", runs[_i].name,
	    buf_text(&b), buf_text(&a));
	buf_release(&a);
	buf_release(&b);
	free(wanted);
	free(got);
	tally_free(t);
}
END_TEST

/* Records of one finding and day are joined, and what they told of the cadence is not lost. */
START_TEST(a_small_tally_takes_a_hundred_thousand_attempts_of_one_finding)
{
	struct tally_options options = { .max_bytes = 200000 };
	struct event ev = handshake("10.0.0.1", "mail.example", V12, DAY);
	struct tally *t = tally_new(&options);
	struct cadence wanted = { 0 };
	struct tally_client c;
	struct finding f;

	for (int i = 0; i < 100000; i++) {
		ev.timestamp_us = DAY + i * SECOND / 2;
		ck_assert(tally_add(t, &ev));
		cadence_add_time(&wanted, ev.timestamp_us);
		if (i > 0)
			cadence_add_gap(&wanted, SECOND / 2);
	}
	tally_sort(t);
	tally_client_at(t, 0, &c);
	tally_finding_at(t, 0, &f);
	ck_assert_uint_eq(f.count, 100000);
	ck_assert_int_eq(f.first_us, DAY);
	ck_assert_int_eq(f.last_us, ev.timestamp_us);
	for (unsigned i = 0; i < CADENCE_HOURS; i++)
		ck_assert_uint_eq(c.cadence.hours[i], wanted.hours[i]);
	for (unsigned i = 0; i < CADENCE_CLASSES; i++) {
		ck_assert_uint_eq(c.cadence.gap_count[i], wanted.gap_count[i]);
		ck_assert_uint_eq(c.cadence.gap_sum_ms[i], wanted.gap_sum_ms[i]);
	}
	tally_free(t);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_tally_tells_what_a_plain_list_would, 0, ROWS(runs));
	tcase_add_test(tc, a_small_tally_takes_a_hundred_thousand_attempts_of_one_finding);
}

SUITE_MAIN("tally_tally_reference")
