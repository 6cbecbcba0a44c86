/* From the tally to the tables, in one transaction. */
#include "store/batch_writer.h"
#include "store/client_row.h"
#include "store/tally_numbers.h"

#include "base/banned.h"

/* For fewer a thread is not worth its start. */
#define WRITER_CLIENTS_MIN 128

/* Counts the client's days and hours. */
static int
add_times(struct store *s, const struct tally *tally, const struct tally_client *c,
    struct store_client_row *row, struct error *err)
{
	struct tally_day day;
	struct tally_hour hour;

	for (size_t i = 0; i < c->day_count; i++) {
		tally_day_at(tally, c->first_day + i, &day);
		if (store_client_add_day(s, row, &day, err) != 0)
			return -1;
	}
	for (size_t i = 0; i < c->hour_count; i++) {
		tally_hour_at(tally, c->first_hour + i, &hour);
		if (store_client_add_hour(s, row, &hour, err) != 0)
			return -1;
	}
	return 0;
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
store_judge_client(struct store *s, struct store_client_row *row, struct error *err)
{
	uint8_t verdict = judge(s);

	if (store_set_write(s, row->id, err) != 0)
		return -1;
	return store_client_write(s, row, verdict, err);
}

static int
flush_client(struct store *s, int64_t sensor_id, struct tally_numbers *numbers,
    const struct tally_client *c, struct error *err)
{
	struct store_client_row row; /* large: cleared where it is filled */
	bool is_new;

	row.id = 0;
	if (store_clients_find(s, sensor_id, &c->ip, &row.id, err) != 0)
		return -1;
	is_new = row.id == 0;
	/* Only marks, or ends of sessions, of a client that was removed in the meantime. */
	if (is_new && c->event_count == 0)
		return 0;
	store_set_clear(&s->set);
	if ((!is_new && store_client_load(s, row.id, &c->ip, &row, err) != 0) ||
	    store_set_add(s, numbers, c, err) != 0)
		return -1;
	store_client_update(&row, c, &s->scratch);
	if ((is_new && store_client_make(s, sensor_id, &c->ip, &row, err) != 0) ||
	    add_times(s, numbers->tally, c, &row, err) != 0)
		return -1;
	return store_judge_client(s, &row, err);
}

int
store_find_client(struct store *s, int64_t sensor_id, const struct addr *ip, int64_t *client_id,
    struct error *err)
{
	/* Its rows may be among those that wait. */
	if (store_batches_write(s, err) != 0)
		return -1;
	return store_client_number(s, sensor_id, ip, client_id, err);
}

/* The same for what did not come out of a tally. */
static int
add_given_times(struct store *s, const struct store_addition *more, struct store_client_row *row,
    struct error *err)
{
	for (size_t i = 0; i < more->day_count; i++) {
		if (store_client_add_day(s, row, &more->days[i], err) != 0)
			return -1;
	}
	for (size_t i = 0; i < more->hour_count; i++) {
		if (store_client_add_hour(s, row, &more->hours[i], err) != 0)
			return -1;
	}
	return 0;
}

int
store_add_client(
    struct store *s, int64_t sensor_id, const struct store_addition *more, struct error *err)
{
	const struct tally_client *c = more->client;
	struct store_client_row row = { .id = 0 };
	bool is_new;

	if (store_find_client(s, sensor_id, &c->ip, &row.id, err) != 0)
		return -1;
	is_new = row.id == 0;
	if (is_new && c->event_count == 0) /* as above */
		return 0;
	store_set_clear(&s->set);
	if ((!is_new && store_client_load(s, row.id, &c->ip, &row, err) != 0) ||
	    store_set_add_findings(s, more->findings, more->finding_count, more->bounded, err) != 0)
		return -1;
	store_client_update(&row, c, &s->scratch);
	if ((is_new && store_client_make(s, sensor_id, &c->ip, &row, err) != 0) ||
	    add_given_times(s, more, &row, err) != 0)
		return -1;
	return store_judge_client(s, &row, err);
}

int
store_forget_client(
    struct store *s, int64_t sensor_id, const struct addr *ip, int64_t client_id, struct error *err)
{
	static const enum store_statement statements[] = {
		STATEMENT_FORGET_FINDINGS,
		STATEMENT_FORGET_DAYS,
		STATEMENT_FORGET_HOURS,
	};
	sqlite3_stmt *st;

	if (client_id == 0)
		return 0;
	store_cache_clear(s);
	store_clients_forget(s);
	if (store_write_rest(s, err) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		st = store_statement(s, statements[i], err);
		if (st == NULL)
			return -1;
		(void)sqlite3_bind_int64(st, 1, client_id);
		if (store_step(s, st, err) != 0)
			return -1;
	}
	st = store_statement(s, STATEMENT_FORGET_CLIENT, err);
	if (st == NULL)
		return -1;
	store_bind_client(st, 1, sensor_id, ip);
	return store_step(s, st, err);
}

static int
flush_clients(struct store *s, int64_t sensor_id, struct tally_numbers *numbers, struct error *err)
{
	for (size_t i = 0; i < tally_client_count(numbers->tally); i++) {
		struct tally_client c;

		tally_client_at(numbers->tally, i, &c);
		if (flush_client(s, sensor_id, numbers, &c, err) != 0)
			return -1;
	}
	return store_batches_write(s, err);
}

/*
 * Whoever asks the database for something waits until the writer is done.  So there is one only for
 * new clients, and what their findings share is looked up before; that without a writer too, so
 * that the numbers are the same.
 */
static int
start_writer(struct store *s, int64_t sensor_id, struct tally_numbers *numbers, struct error *err)
{
	bool none;

	if (tally_client_count(numbers->tally) < WRITER_CLIENTS_MIN)
		return 0;
	if (store_clients_none(s, sensor_id, &none, err) != 0)
		return -1;
	if (!none)
		return 0;
	if (tally_numbers_find_all(s, numbers, err) != 0)
		return -1;
	if (s->may_use_thread)
		s->writer = batch_writer_start(s);
	return 0;
}

static int
flush_tally(struct store *s, int64_t sensor_id, const struct tally *tally, struct error *err)
{
	struct tally_numbers numbers;
	int result;

	if (store_cache_refresh(s, err) != 0)
		return -1;
	tally_numbers_init(&numbers, tally);
	result = start_writer(s, sensor_id, &numbers, err);
	if (result == 0)
		result = flush_clients(s, sensor_id, &numbers, err);
	batch_writer_stop(s->writer);
	s->writer = NULL;
	tally_numbers_release(&numbers);
	return result == 0 ? store_write_rest(s, err) : -1;
}

/* The transaction of this flush alone. */
static int
begin_by_itself(struct store *s, struct error *err)
{
	if (store_sync(s) == 0)
		return store_run_statement(s, STATEMENT_BEGIN, err);
	store_error(s, "write to", err);
	return -1;
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
	if (store_check_place(s, err) != 0) {
		s->failed = s->in_transaction;
		return -1;
	}
	if (tally != NULL)
		tally_sort(tally); /* before the lock is taken, for which others would wait */
	if (!s->in_transaction && begin_by_itself(s, err) != 0)
		return -1;
	if ((tally != NULL && flush_tally(s, sensor_id, tally, err) != 0) ||
	    (run != NULL && store_write_run(s, sensor_id, run, err) != 0))
		goto bad;
	if (!s->in_transaction && store_run_statement(s, STATEMENT_COMMIT, err) != 0)
		goto bad;
	/* Where a reader is in the way, the next flush asks again. */
	if (s->log_is_due && !s->in_transaction)
		(void)store_use_log(s);
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
	s->has_begun = false;
	if (sqlite3_get_autocommit(s->db) == 0) {
		struct error ignored;

		(void)store_run_statement(s, STATEMENT_ROLLBACK, &ignored);
	}
	/* While a reader was in the way, the log may have taken all the room there is. */
	store_move_log(s->db);
	return -1;
}
