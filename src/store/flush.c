/* From the tally to the tables, in one transaction. */
#include "store/store_internal.h"

#include "base/banned.h"

/* Eight bits for what is spoken: SSLv2, 3.x, and the drafts of TLS 1.3.  Anything else is 0. */
static int64_t
pack_version(uint16_t version)
{
	if (version >= 0x7f00 && version <= 0x7f7f)
		return 0x80 | (version & 0x7f);
	if (version >= 0x0300 && version <= 0x033f)
		return 0x40 | (version & 0x3f);
	return version < 0x40 ? version : 0;
}

/* What SQLite has no date for is the first day or the last. */
static int64_t
day_number(const struct tally_day *day)
{
	int64_t number = day->day + STORE_DAY_ZERO;

	number = number < 0 ? 0 : number > STORE_DAY_LAST ? STORE_DAY_LAST : number;
	return number << STORE_DAY_SHIFT | pack_version(day->tls_version) << 3 |
	       (int64_t)day->outcome;
}

static int
add_day(struct store *s, const struct tally_day *day, int64_t client_id, struct error *err)
{
	int64_t *row = store_batch_next(s, STORE_BATCH_DAYS, err);

	if (row == NULL)
		return -1;
	row[0] = client_id << STORE_TIME_BITS | day_number(day);
	row[1] = (int64_t)day->count; /* never reaches the sign */
	return 0;
}

static int
add_days(struct store *s, const struct tally *tally, const struct tally_client *c,
    int64_t client_id, struct error *err)
{
	for (size_t i = 0; i < c->day_count; i++) {
		struct tally_day day;

		tally_day_at(tally, c->first_day + i, &day);
		if (add_day(s, &day, client_id, err) != 0)
			return -1;
	}
	return 0;
}

static int
add_hours(struct store *s, const struct tally *tally, const struct tally_client *c,
    int64_t client_id, bool is_new, struct error *err)
{
	for (size_t i = 0; i < c->hour_count; i++) {
		struct tally_hour hour;

		tally_hour_at(tally, c->first_hour + i, &hour);
		if (store_add_hour(s, client_id, &hour, err) != 0)
			return -1;
	}
	if (c->hour_count == 0 || (is_new && c->hour_count <= STORE_LOGIN_HOURS_MAX))
		return 0;
	return store_trim_hours(s, client_id, err);
}

/* Judges s->set; without a judge, or findings, there is no verdict. */
static uint8_t
judge(struct store *s)
{
	buf_clear(&s->reason);
	if (s->set.count == 0)
		return STORE_VERDICT_NONE;
	if (s->judge == NULL) {
		for (size_t i = 0; i < s->set.count; i++)
			s->set.judged[i] = (struct store_judgement){ .rank = STORE_VERDICT_NONE };
		return STORE_VERDICT_NONE;
	}
	return s->judge(s->judge_arg, s->set.items, s->set.count, s->set.judged, &s->reason);
}

int
store_write_rest(struct store *s, struct error *err)
{
	if (store_batches_write(s, err) != 0 || store_trims_write(s, err) != 0)
		return -1;
	return store_references_write(s, err);
}

int
store_judge_client(struct store *s, int64_t client_id, const struct addr *ip, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_CLIENT_JUDGED, err);
	uint8_t verdict;

	store_set_clear(&s->set);
	store_cache_clear(s);
	if (st == NULL || store_set_load(s, client_id, ip, err) != 0)
		return -1;
	verdict = judge(s);
	(void)sqlite3_bind_int64(st, 1, client_id);
	(void)sqlite3_bind_int(st, 2, verdict);
	(void)sqlite3_bind_text(st, 3, buf_text(&s->reason), (int)s->reason.len, SQLITE_STATIC);
	if (store_step(s, st, err) != 0 || store_set_write(s, client_id, err) != 0)
		return -1;
	return store_write_rest(s, err);
}

static int
flush_client(struct store *s, int64_t sensor_id, struct tally_numbers *numbers,
    const struct tally_client *c, struct error *err)
{
	struct store_client_row row = { .id = 0 };
	uint8_t verdict;
	bool is_new;

	if (store_clients_find(s, sensor_id, &c->ip, &row.id, err) != 0)
		return -1;
	is_new = row.id == 0;
	/* Only marks, or the end of sessions, of a client that was removed since. */
	if (is_new && c->event_count == 0)
		return 0;
	store_set_clear(&s->set);
	if ((!is_new && (store_client_read(s, row.id, &row, err) != 0 ||
			    store_set_load(s, row.id, &c->ip, err) != 0)) ||
	    store_set_add(s, numbers, c, err) != 0)
		return -1;
	store_client_update(&row, c, &s->scratch);
	verdict = judge(s);
	if (store_client_write(s, sensor_id, &c->ip, &row, verdict, err) != 0 ||
	    store_set_write(s, row.id, err) != 0 ||
	    add_days(s, numbers->tally, c, row.id, err) != 0)
		return -1;
	return add_hours(s, numbers->tally, c, row.id, is_new, err);
}

int
store_find_client(struct store *s, int64_t sensor_id, const struct addr *ip, int64_t *client_id,
    struct error *err)
{
	/* It may be among the rows that wait. */
	if (store_batches_write(s, err) != 0)
		return -1;
	return store_client_number(s, sensor_id, ip, client_id, err);
}

int
store_add_client(struct store *s, int64_t sensor_id, const struct tally_client *c,
    const struct finding *findings, size_t finding_count, const struct tally_day *days,
    size_t day_count, struct error *err)
{
	struct store_client_row row = { .id = 0 };
	uint8_t verdict;

	if (store_find_client(s, sensor_id, &c->ip, &row.id, err) != 0)
		return -1;
	store_set_clear(&s->set);
	if ((row.id != 0 && (store_client_read(s, row.id, &row, err) != 0 ||
				store_set_load(s, row.id, &c->ip, err) != 0)) ||
	    store_set_add_findings(s, findings, finding_count, err) != 0)
		return -1;
	store_client_update(&row, c, &s->scratch);
	verdict = judge(s);
	if (store_client_write(s, sensor_id, &c->ip, &row, verdict, err) != 0 ||
	    store_set_write(s, row.id, err) != 0)
		return -1;
	for (size_t i = 0; i < day_count; i++) {
		if (add_day(s, &days[i], row.id, err) != 0)
			return -1;
	}
	return 0;
}

int
store_forget_client(struct store *s, int64_t client_id, struct error *err)
{
	static const enum store_statement statements[] = {
		STATEMENT_FORGET_FINDINGS,
		STATEMENT_FORGET_DAYS,
		STATEMENT_FORGET_HOURS,
		STATEMENT_FORGET_CLIENT,
	};

	if (client_id == 0)
		return 0;
	store_cache_clear(s);
	store_clients_forget(s);
	if (store_write_rest(s, err) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		sqlite3_stmt *st = store_statement(s, statements[i], err);

		if (st == NULL)
			return -1;
		(void)sqlite3_bind_int64(st, 1, client_id);
		if (store_step(s, st, err) != 0)
			return -1;
	}
	return 0;
}

static int
flush_tally(struct store *s, int64_t sensor_id, const struct tally *tally, struct error *err)
{
	struct tally_numbers numbers;
	int result = 0;

	if (store_cache_refresh(s, err) != 0)
		return -1;
	tally_numbers_init(&numbers, tally);
	for (size_t i = 0; i < tally_client_count(tally) && result == 0; i++) {
		struct tally_client c;

		tally_client_at(tally, i, &c);
		result = flush_client(s, sensor_id, &numbers, &c, err);
	}
	tally_numbers_release(&numbers);
	return result == 0 ? store_write_rest(s, err) : -1;
}

int
store_flush(struct store *s, int64_t sensor_id, struct tally *tally, struct store_run *run,
    struct error *err)
{
	int64_t old_run = run != NULL ? run->id : 0;

	if (s->failed && s->in_transaction) {
		error_set(
		    err, "nothing was written to %s: a write before this one failed", s->path);
		return -1;
	}
	if (tally != NULL)
		tally_sort(tally); /* before others have to wait for the lock */
	if (!s->in_transaction && store_run_statement(s, STATEMENT_BEGIN, err) != 0)
		return -1;
	if ((tally != NULL && flush_tally(s, sensor_id, tally, err) != 0) ||
	    (run != NULL && store_write_run(s, sensor_id, run, err) != 0))
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
	store_batches_drop(s);
	store_references_drop(s);
	store_cache_clear(s);
	store_clients_forget(s);
	if (sqlite3_get_autocommit(s->db) == 0) {
		struct error ignored;

		(void)store_run_statement(s, STATEMENT_ROLLBACK, &ignored);
	}
	return -1;
}
