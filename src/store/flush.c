/* From the tally to the tables, in one transaction. */
#include <string.h>

#include "event/device_name.h"
#include "store/store_internal.h"

#include "base/banned.h"

/* A client as it is stored, brought up to date. */
struct client_row {
	int64_t id; /* 0: not stored yet */
	bool has_mac;
	uint8_t mac[6];
	struct event_text name; /* printable */
	enum name_source name_source;
	int64_t name_us;
	int64_t first_us, last_us;
	uint64_t count;
	struct cadence cadence;
};

#define IP_KEY_MAX 17

/* Family and bytes: sorts as addr_compare does. */
static int
write_ip_key(const struct addr *ip, uint8_t out[IP_KEY_MAX])
{
	out[0] = ip->family;
	memcpy(out + 1, ip->bytes, sizeof(ip->bytes));
	return ip->family == 4 ? 5 : IP_KEY_MAX;
}

static void
read_client(sqlite3_stmt *st, struct client_row *row)
{
	const void *mac = sqlite3_column_blob(st, 1);
	bool damaged = false; /* a name's source is not worth giving up for */

	row->id = sqlite3_column_int64(st, 0);
	row->has_mac = mac != NULL && sqlite3_column_bytes(st, 1) == 6;
	if (row->has_mac)
		memcpy(row->mac, mac, 6);
	event_text_set(&row->name, store_column_span(st, 2));
	row->name_source = (enum name_source)store_column_code(st, 3, NAME_SOURCE_LAST, &damaged);
	row->first_us = sqlite3_column_int64(st, 4);
	row->last_us = sqlite3_column_int64(st, 5);
	row->count = store_column_u64(st, 6);
	row->name_us = sqlite3_column_int64(st, 7);
	/* What cannot be read begins anew. */
	(void)cadence_read(store_column_span(st, 8), &row->cadence);
}

static int
find_client(struct store *s, int64_t sensor_id, const struct addr *ip, struct client_row *row,
    struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_CLIENT_FIND, err);
	uint8_t key[IP_KEY_MAX];
	int status;

	if (st == NULL)
		return -1;
	row->id = 0;
	(void)sqlite3_bind_int64(st, 1, sensor_id);
	(void)sqlite3_bind_blob(st, 2, key, write_ip_key(ip, key), SQLITE_STATIC);
	status = sqlite3_step(st);
	if (status == SQLITE_ROW)
		read_client(st, row);
	else if (status != SQLITE_DONE)
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	return status == SQLITE_ROW || status == SQLITE_DONE ? 0 : -1;
}

/* event/device_name.h says which name is kept. */
static void
update_name(struct client_row *row, const struct tally_client *c, struct buf *scratch)
{
	uint8_t rank = device_name_rank(c->name_source, c->name);
	uint8_t old_rank = device_name_rank(row->name_source, event_text_span(&row->name));

	if (c->name.len == 0 ||
	    (row->name.len > 0 && !device_name_replaces(rank, c->name_us, old_rank, row->name_us)))
		return;
	event_text_set(&row->name, c->name);
	store_make_printable(scratch, &row->name, CHARSET_UTF8);
	row->name_source = c->name_source;
	row->name_us = c->name_us;
}

/* `row->last_us` is still that of the flush before. */
static void
update_cadence(struct client_row *row, const struct tally_client *c)
{
	/* Only marks, or the end of sessions: nobody came. */
	if (c->event_count == 0)
		return;
	if (row->count > 0)
		cadence_add_gap(&row->cadence, c->first_us - row->last_us);
	cadence_merge(&row->cadence, &c->cadence);
}

/* The rule of tally.h: the latest decides, an earlier one fills what is not known yet. */
static void
update_client(struct client_row *row, const struct tally_client *c, struct buf *scratch)
{
	bool is_new = row->id == 0;
	bool latest = is_new || c->last_us >= row->last_us;

	if (is_new)
		*row = (struct client_row){ .first_us = c->first_us, .last_us = c->last_us };
	if (c->has_mac && (latest || !row->has_mac)) {
		row->has_mac = true;
		memcpy(row->mac, c->mac, sizeof(row->mac));
	}
	update_name(row, c, scratch);
	update_cadence(row, c);
	row->count += c->event_count;
	row->first_us = c->first_us < row->first_us ? c->first_us : row->first_us;
	row->last_us = c->last_us > row->last_us ? c->last_us : row->last_us;
}

/* `text` holds what is bound until the statement was stepped. */
static void
bind_cadence(sqlite3_stmt *st, const struct cadence *cadence, struct buf *text)
{
	struct cadence_summary summary;
	size_t blob_len, words_len;

	cadence_summarise(cadence, &summary);
	buf_clear(text);
	cadence_write(cadence, text);
	blob_len = text->len;
	cadence_add_text(&summary, text);
	words_len = text->len - blob_len;
	cadence_add_hours(&summary, text);
	(void)sqlite3_bind_blob(st, 13, text->data, (int)blob_len, SQLITE_STATIC);
	store_bind_borrowed(st, 14, span_from(text->data + blob_len, words_len));
	if (summary.interval_us > 0) {
		(void)sqlite3_bind_int64(st, 15, summary.interval_us);
		(void)sqlite3_bind_int(st, 16, (int)summary.share);
	} else {
		(void)sqlite3_bind_null(st, 15);
		(void)sqlite3_bind_null(st, 16);
	}
	store_bind_borrowed(
	    st, 17, span_from(text->data + blob_len + words_len, text->len - blob_len - words_len));
}

/* The columns that CLIENT_INSERT and CLIENT_UPDATE share. */
static void
bind_client(sqlite3_stmt *st, const struct client_row *row, uint8_t verdict, struct buf *reason,
    struct buf *scratch)
{
	if (row->has_mac)
		(void)sqlite3_bind_blob(st, 4, row->mac, sizeof(row->mac), SQLITE_STATIC);
	else
		(void)sqlite3_bind_null(st, 4);
	store_bind_borrowed(st, 5, event_text_span(&row->name));
	(void)sqlite3_bind_int(st, 6, (int)row->name_source);
	(void)sqlite3_bind_int64(st, 7, row->first_us);
	(void)sqlite3_bind_int64(st, 8, row->last_us);
	store_bind_u64(st, 9, row->count);
	(void)sqlite3_bind_int(st, 10, verdict);
	(void)sqlite3_bind_text(st, 11, buf_text(reason), (int)reason->len, SQLITE_STATIC);
	if (row->name.len > 0)
		(void)sqlite3_bind_int64(st, 12, row->name_us);
	else
		(void)sqlite3_bind_null(st, 12);
	bind_cadence(st, &row->cadence, scratch);
}

static int
write_client(struct store *s, int64_t sensor_id, const struct addr *ip, struct client_row *row,
    uint8_t verdict, struct error *err)
{
	bool is_new = row->id == 0;
	sqlite3_stmt *st =
	    store_statement(s, is_new ? STATEMENT_CLIENT_INSERT : STATEMENT_CLIENT_UPDATE, err);
	uint8_t key[IP_KEY_MAX];
	char text[ADDR_TEXT_LEN];

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, is_new ? sensor_id : row->id);
	if (is_new) {
		(void)sqlite3_bind_blob(st, 2, key, write_ip_key(ip, key), SQLITE_STATIC);
		(void)sqlite3_bind_text(st, 3, addr_to_text(ip, text), -1, SQLITE_STATIC);
	}
	bind_client(st, row, verdict, &s->reason, &s->scratch);
	if (store_step(s, st, err) != 0)
		return -1;
	if (!is_new)
		return 0;
	row->id = sqlite3_last_insert_rowid(s->db);
	if (row->id <= STORE_CLIENT_MAX)
		return 0;
	store_error_used_up(s, err);
	return -1;
}

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
	struct client_row row;
	uint8_t verdict;
	bool is_new;

	if (find_client(s, sensor_id, &c->ip, &row, err) != 0)
		return -1;
	/* Only marks, or the end of sessions, of a client that was removed since. */
	if (row.id == 0 && c->event_count == 0)
		return 0;
	store_set_clear(&s->set);
	is_new = row.id == 0;
	if ((!is_new && store_set_load(s, row.id, &c->ip, err) != 0) ||
	    store_set_add(s, numbers, c, err) != 0)
		return -1;
	update_client(&row, c, &s->scratch);
	verdict = judge(s);
	if (write_client(s, sensor_id, &c->ip, &row, verdict, err) != 0 ||
	    store_set_write(s, row.id, err) != 0 ||
	    add_days(s, numbers->tally, c, row.id, err) != 0)
		return -1;
	return add_hours(s, numbers->tally, c, row.id, is_new, err);
}

int
store_find_client(struct store *s, int64_t sensor_id, const struct addr *ip, int64_t *client_id,
    struct error *err)
{
	struct client_row row;
	int rc = find_client(s, sensor_id, ip, &row, err);

	*client_id = rc == 0 ? row.id : 0;
	return rc;
}

int
store_add_client(struct store *s, int64_t sensor_id, const struct tally_client *c,
    const struct finding *findings, size_t finding_count, const struct tally_day *days,
    size_t day_count, struct error *err)
{
	struct client_row row;
	uint8_t verdict;

	if (find_client(s, sensor_id, &c->ip, &row, err) != 0)
		return -1;
	store_set_clear(&s->set);
	if ((row.id != 0 && store_set_load(s, row.id, &c->ip, err) != 0) ||
	    store_set_add_findings(s, findings, finding_count, err) != 0)
		return -1;
	update_client(&row, c, &s->scratch);
	verdict = judge(s);
	if (write_client(s, sensor_id, &c->ip, &row, verdict, err) != 0 ||
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
	store_trims_drop(s);
	store_cache_clear(s);
	if (sqlite3_get_autocommit(s->db) == 0) {
		struct error ignored;

		(void)store_run_statement(s, STATEMENT_ROLLBACK, &ignored);
	}
	return -1;
}
