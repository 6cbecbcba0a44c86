/* From the tally to the tables, in one transaction. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "store/store_internal.h"

#include "base/banned.h"

static void
make_room(struct store *s, size_t count)
{
	size_t room = s->finding_room < 64 ? 64 : s->finding_room;

	if (count <= s->finding_room)
		return;
	while (room < count)
		room *= 2;
	s->findings = xreallocarray(s->findings, room, sizeof(*s->findings));
	s->ranks = xreallocarray(s->ranks, room, 1);
	s->old_ranks = xreallocarray(s->old_ranks, room, 1);
	s->finding_room = room;
}

struct client_row {
	int64_t id;
	bool is_new;
	uint64_t finding_count;
};

static int
upsert_client(struct store *s, int64_t sensor_id, const struct tally_client *c,
    struct client_row *row, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_CLIENT_UPSERT, err);
	uint8_t key[17];
	char ip[ADDR_TEXT_LEN];
	int status;

	if (st == NULL)
		return -1;
	key[0] = c->ip.family;
	memcpy(key + 1, c->ip.bytes, 16);
	(void)sqlite3_bind_int64(st, 1, sensor_id);
	(void)sqlite3_bind_blob(st, 2, key, c->ip.family == 4 ? 5 : 17, SQLITE_TRANSIENT);
	store_bind_text(st, 3, addr_to_text(&c->ip, ip));
	if (c->has_mac)
		(void)sqlite3_bind_blob(st, 4, c->mac, 6, SQLITE_TRANSIENT);
	else
		(void)sqlite3_bind_null(st, 4);
	store_bind_span(st, 5, store_printable(&s->scratch, c->name));
	(void)sqlite3_bind_int(st, 6, (int)c->name_source);
	(void)sqlite3_bind_int64(st, 7, c->first_us);
	(void)sqlite3_bind_int64(st, 8, c->last_us);
	store_bind_u64(st, 9, c->event_count);
	status = sqlite3_step(st);
	if (status == SQLITE_ROW) {
		row->id = sqlite3_column_int64(st, 0);
		row->is_new = sqlite3_column_int(st, 1) != 0;
		row->finding_count = store_column_u64(st, 2);
	} else {
		store_error(s, "write", err);
	}
	(void)sqlite3_reset(st);
	return status == SQLITE_ROW ? 0 : -1;
}

static int
upsert_finding(
    struct store *s, int64_t client_id, const struct finding *f, uint8_t verdict, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_FINDING_UPSERT, err);

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, client_id);
	store_finding_bind(st, 2, f, &s->scratch, verdict);
	return store_step(s, st, err);
}

static int
flush_days(struct store *s, const struct tally *tally, const struct tally_client *c,
    int64_t client_id, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_DAY_UPSERT, err);

	if (st == NULL)
		return -1;
	for (size_t i = 0; i < c->day_count; i++) {
		struct tally_day day;

		tally_day_at(tally, c->first_day + i, &day);
		(void)sqlite3_bind_int64(st, 1, client_id);
		(void)sqlite3_bind_int64(st, 2, day.day);
		(void)sqlite3_bind_int(st, 3, day.tls_version);
		(void)sqlite3_bind_int(st, 4, (int)day.outcome);
		store_bind_u64(st, 5, day.count);
		if (store_step(s, st, err) != 0)
			return -1;
	}
	return 0;
}

static int
write_client_verdict(
    struct store *s, int64_t client_id, uint8_t verdict, size_t count, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_CLIENT_JUDGED, err);

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, client_id);
	(void)sqlite3_bind_int(st, 2, verdict);
	(void)sqlite3_bind_text(st, 3, buf_text(&s->reason), (int)s->reason.len, SQLITE_TRANSIENT);
	store_bind_u64(st, 4, count);
	return store_step(s, st, err);
}

/* Judges s->findings; without a judge there is no verdict. */
static uint8_t
judge(struct store *s, size_t count)
{
	buf_clear(&s->reason);
	if (s->judge == NULL) {
		memset(s->ranks, STORE_VERDICT_NONE, count);
		return STORE_VERDICT_NONE;
	}
	return s->judge(s->judge_arg, s->findings, count, s->ranks, &s->reason);
}

/* All that is stored of a client, into s->findings and s->old_ranks. */
static int
load_findings(
    struct store *s, int64_t client_id, const struct addr *ip, size_t *count, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_FINDING_LOAD, err);
	int status;

	if (st == NULL)
		return -1;
	*count = 0;
	(void)sqlite3_bind_int64(st, 1, client_id);
	while ((status = sqlite3_step(st)) == SQLITE_ROW) {
		make_room(s, *count + 1);
		store_finding_read(st, 0, ip, &s->findings[*count], &s->old_ranks[*count]);
		(*count)++;
	}
	if (status != SQLITE_DONE)
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	return status == SQLITE_DONE ? 0 : -1;
}

static int
write_finding_verdict(struct store *s, int64_t client_id, const struct finding_key *k,
    uint8_t verdict, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_FINDING_JUDGED, err);
	const int numbers[] = { k->server_port, (int)k->protocol, (int)k->tls_mode, k->tls_version,
		k->offered_version, (int)k->outcome, (int)k->refused_by, (int)k->refusal,
		k->refusal_alert, verdict };

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, client_id);
	store_bind_span(st, 2, event_text_span(&k->server)); /* as it was read: printable */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sqlite3_bind_int(st, 3 + (int)i, numbers[i]);
	return store_step(s, st, err);
}

static int
flush_known_client(struct store *s, const struct tally *tally, const struct tally_client *c,
    const struct client_row *row, struct error *err)
{
	size_t count;
	uint8_t verdict;

	make_room(s, c->finding_count);
	for (size_t i = 0; i < c->finding_count; i++) {
		struct finding *f = &s->findings[0];

		tally_finding_at(tally, c->first_finding + i, f);
		if (row->finding_count + i >= STORE_FINDINGS_PER_CLIENT_MAX)
			event_text_set(&f->key.server, span_from_text(STORE_OTHER_SERVERS));
		if (upsert_finding(s, row->id, f, STORE_VERDICT_NONE, err) != 0)
			return -1;
	}
	if (load_findings(s, row->id, &c->ip, &count, err) != 0)
		return -1;
	make_room(s, count);
	verdict = judge(s, count);
	for (size_t i = 0; i < count; i++) {
		if (s->ranks[i] != s->old_ranks[i] &&
		    write_finding_verdict(s, row->id, &s->findings[i].key, s->ranks[i], err) != 0)
			return -1;
	}
	return write_client_verdict(s, row->id, verdict, count, err);
}

/* A new client's findings are all in the tally: they are judged before they are written. */
static int
flush_new_client(struct store *s, const struct tally *tally, const struct tally_client *c,
    const struct client_row *row, struct error *err)
{
	size_t count = c->finding_count;
	uint8_t verdict;

	make_room(s, count);
	for (size_t i = 0; i < count; i++)
		tally_finding_at(tally, c->first_finding + i, &s->findings[i]);
	verdict = judge(s, count);
	for (size_t i = 0; i < count; i++) {
		if (upsert_finding(s, row->id, &s->findings[i], s->ranks[i], err) != 0)
			return -1;
	}
	return write_client_verdict(s, row->id, verdict, count, err);
}

static int
flush_tally(struct store *s, int64_t sensor_id, struct tally *tally, struct error *err)
{
	tally_sort(tally);
	for (size_t i = 0; i < tally_client_count(tally); i++) {
		struct tally_client c;
		struct client_row row;
		int result;

		tally_client_at(tally, i, &c);
		if (upsert_client(s, sensor_id, &c, &row, err) != 0)
			return -1;
		if (row.is_new && c.finding_count <= STORE_FINDINGS_PER_CLIENT_MAX)
			result = flush_new_client(s, tally, &c, &row, err);
		else
			result = flush_known_client(s, tally, &c, &row, err);
		if (result != 0 || flush_days(s, tally, &c, row.id, err) != 0)
			return -1;
	}
	return 0;
}

static void
bind_time(sqlite3_stmt *st, int index, int64_t time_us)
{
	if (time_us != 0)
		(void)sqlite3_bind_int64(st, index, time_us);
	else
		(void)sqlite3_bind_null(st, index);
}

static int
write_source(struct store *s, int64_t run_id, size_t position, const struct store_source *source,
    struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_SOURCE_UPSERT, err);

	if (st == NULL)
		return -1;
	(void)sqlite3_clear_bindings(st);
	(void)sqlite3_bind_int64(st, 1, run_id);
	store_bind_u64(st, 2, position);
	store_bind_span(st, 3, store_printable(&s->scratch, span_from_text(source->name)));
	if (source->has_identity) {
		store_bind_u64(st, 4, source->identity.head_hash);
		store_bind_u64(st, 5, source->identity.packet_count);
		store_bind_u64(st, 6, source->identity.stream_hash);
	}
	store_bind_u64(st, 7, source->packet_count);
	store_bind_u64(st, 8, source->byte_count);
	store_bind_u64(st, 9, source->snapped_count);
	store_bind_u64(st, 10, source->skipped_count);
	bind_time(st, 11, source->begin_us);
	bind_time(st, 12, source->end_us);
	if (source->error != NULL)
		store_bind_span(
		    st, 13, store_printable(&s->scratch, span_from_text(source->error)));
	return store_step(s, st, err);
}

static int
insert_run(struct store *s, int64_t sensor_id, struct store_run *run, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_RUN_INSERT, err);

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, sensor_id);
	store_bind_text(st, 2, run->command);
	(void)sqlite3_bind_int64(st, 3, run->started_us);
	if (store_step(s, st, err) != 0)
		return -1;
	run->id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

static int
write_run(struct store *s, int64_t sensor_id, struct store_run *run, struct error *err)
{
	sqlite3_stmt *st;

	if (run->id == 0 && insert_run(s, sensor_id, run, err) != 0)
		return -1;
	st = store_statement(s, STATEMENT_RUN_UPDATE, err);
	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, run->id);
	bind_time(st, 2, run->begin_us);
	bind_time(st, 3, run->end_us);
	store_bind_u64(st, 4, run->packet_count);
	store_bind_u64(st, 5, run->byte_count);
	if (store_step(s, st, err) != 0)
		return -1;
	st = store_statement(s, STATEMENT_COUNTER_UPSERT, err);
	for (size_t i = 0; st != NULL && i < run->counter_count; i++) {
		(void)sqlite3_bind_int64(st, 1, run->id);
		store_bind_text(st, 2, run->counters[i].name);
		store_bind_u64(st, 3, run->counters[i].value);
		if (store_step(s, st, err) != 0)
			return -1;
	}
	for (size_t i = 0; i < run->source_count; i++) {
		if (write_source(s, run->id, i, &run->sources[i], err) != 0)
			return -1;
	}
	return st != NULL ? 0 : -1;
}

int
store_flush(struct store *s, int64_t sensor_id, struct tally *tally, struct store_run *run,
    struct error *err)
{
	int64_t old_run = run != NULL ? run->id : 0;

	if (s->failed && s->in_transaction) {
		error_set(err, "nothing was written to %s", s->path);
		return -1;
	}
	if (!s->in_transaction && store_run_statement(s, STATEMENT_BEGIN, err) != 0)
		return -1;
	if ((tally != NULL && flush_tally(s, sensor_id, tally, err) != 0) ||
	    (run != NULL && write_run(s, sensor_id, run, err) != 0))
		goto bad;
	if (!s->in_transaction && store_run_statement(s, STATEMENT_COMMIT, err) != 0)
		goto bad;
	if (tally != NULL)
		tally_clear(tally);
	return 0;
bad:
	if (run != NULL)
		run->id = old_run;
	s->failed = s->in_transaction;
	if (sqlite3_get_autocommit(s->db) == 0) {
		struct error ignored;

		(void)store_run_statement(s, STATEMENT_ROLLBACK, &ignored);
	}
	return -1;
}
