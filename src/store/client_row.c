/*
 * A client's rows: who it is, which never changes (client), and what is known of it (client_state),
 * with its findings, which does with each flush.  Both are written in batches, so a new client's
 * number is given here.
 */
#include <string.h>

#include "event/device_name.h"
#include "store/client_row.h"
#include "store/columns.h"

#include "base/banned.h"

#define IP_KEY_MAX 17
/* Of STORE_CLIENT_VERDICT and its like. */
#define MARKS_SOURCE_SHIFT 8
#define MARKS_SHARE_SHIFT 16
#define MARKS_WORST_SHIFT 32
#define MARKS_BEST_SHIFT 48

/* Family and bytes: sorts as addr_compare does. */
static int
write_ip_key(const struct addr *ip, uint8_t out[IP_KEY_MAX])
{
	out[0] = ip->family;
	memcpy(out + 1, ip->bytes, sizeof(ip->bytes));
	return ip->family == 4 ? 5 : IP_KEY_MAX;
}

void
store_bind_client(sqlite3_stmt *st, int index, int64_t sensor_id, const struct addr *ip)
{
	uint8_t key[IP_KEY_MAX];

	(void)sqlite3_bind_int64(st, index, sensor_id);
	(void)sqlite3_bind_blob(st, index + 1, key, write_ip_key(ip, key), SQLITE_TRANSIENT);
}

int
store_client_number(
    struct store *s, int64_t sensor_id, const struct addr *ip, int64_t *id, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_CLIENT_FIND, err);

	*id = 0;
	if (st == NULL)
		return -1;
	store_bind_client(st, 1, sensor_id, ip);
	return store_step_number(s, st, id, err);
}

/* The columns of STATEMENT_CLIENT_READ but for the findings, and the marks. */
static int64_t
read_state(sqlite3_stmt *st, struct store_client_row *row, bool *damaged)
{
	const void *mac = sqlite3_column_blob(st, 0);
	int64_t marks = sqlite3_column_int64(st, 6);
	int source = (int)((uint64_t)marks >> MARKS_SOURCE_SHIFT & 255);

	row->has_mac = mac != NULL && sqlite3_column_bytes(st, 0) == 6;
	if (row->has_mac)
		memcpy(row->mac, mac, 6);
	event_text_set(&row->name, store_column_span(st, 1));
	/* A name with a damaged source is still a name. */
	row->name_source = source <= NAME_SOURCE_LAST ? (enum name_source)source : NAME_SOURCE_NONE;
	row->name_us = sqlite3_column_int64(st, 2);
	row->first_us = sqlite3_column_int64(st, 3);
	row->last_us = sqlite3_column_int64(st, 4);
	row->count = store_column_u64(st, 5);
	/* A cadence that cannot be read begins anew. */
	(void)cadence_read(store_column_span(st, 7), &row->cadence);
	store_client_read_days(store_column_span(st, 9), row, damaged);
	store_client_read_hour(store_column_span(st, 10), row, damaged);
	return marks;
}

/* The row that the statement stands on; *apart: some findings have rows of their own. */
static int
read_row(struct store *s, sqlite3_stmt *st, const struct addr *ip, struct store_client_row *row,
    bool *apart, struct error *err)
{
	bool damaged = false;

	*apart = (read_state(st, row, &damaged) & STORE_MARKS_APART) != 0;
	if (!damaged)
		return store_set_load_own(s, store_column_span(st, 8), ip, err);
	store_error_damaged(s, err);
	return -1;
}

int
store_client_load(struct store *s, int64_t id, const struct addr *ip, struct store_client_row *row,
    struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_CLIENT_READ, err);
	bool apart = false;
	int status, result = -1;

	store_set_clear(&s->set);
	if (st == NULL)
		return -1;
	row->id = id;
	(void)sqlite3_bind_int64(st, 1, id);
	status = sqlite3_step(st);
	if (status == SQLITE_ROW)
		result = read_row(s, st, ip, row, &apart, err);
	else if (status == SQLITE_DONE)
		store_error_damaged(s, err);
	else
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	return result == 0 && apart ? store_set_load_apart(s, id, ip, err) : result;
}

/* event/device_name.h says which name is kept. */
static void
update_name(struct store_client_row *row, const struct tally_client *c, struct buf *scratch)
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

/* Called while `row->last_us` is still that of the flush before. */
static void
update_cadence(struct store_client_row *row, const struct tally_client *c)
{
	/* Only marks, or ends of sessions: the client did not come again. */
	if (c->event_count == 0)
		return;
	if (row->count == 0) {
		row->cadence = c->cadence;
		return;
	}
	cadence_add_gap(&row->cadence, c->first_us - row->last_us);
	cadence_merge(&row->cadence, &c->cadence);
}

void
store_client_update(struct store_client_row *row, const struct tally_client *c, struct buf *scratch)
{
	bool is_new = row->id == 0;
	bool latest = is_new || c->last_us >= row->last_us;

	if (is_new)
		*row = (struct store_client_row){ .first_us = c->first_us, .last_us = c->last_us };
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

/* Numbers continue behind the last one in use, as SQLite would give them. */
static int
new_number(struct store *s, int64_t *id, struct error *err)
{
	if (s->last_client == 0) {
		sqlite3_stmt *st = store_statement(s, STATEMENT_CLIENT_LAST, err);

		if (st == NULL || store_step_number(s, st, &s->last_client, err) != 0)
			return -1;
	}
	if (s->last_client >= STORE_CLIENT_MAX) {
		store_error_used_up(s, err);
		return -1;
	}
	*id = ++s->last_client;
	return 0;
}

int
store_client_make(struct store *s, int64_t sensor_id, const struct addr *ip,
    struct store_client_row *row, struct error *err)
{
	char text[ADDR_TEXT_LEN];
	uint8_t key[IP_KEY_MAX];
	int key_len = write_ip_key(ip, key);
	int64_t *out;

	if (new_number(s, &row->id, err) != 0)
		return -1;
	out = store_batch_next(s, STORE_BATCH_CLIENTS, err);
	if (out == NULL)
		return -1;
	*out++ = row->id;
	*out++ = sensor_id;
	*out++ = store_batch_text(s, STORE_BATCH_CLIENTS, span_from(key, (size_t)key_len));
	*out = store_batch_text(s, STORE_BATCH_CLIENTS, span_from_text(addr_to_text(ip, text)));
	store_clients_keep(s, sensor_id, ip, row->id);
	return 0;
}

static int64_t
keep_text(struct store *s, const struct buf *text)
{
	return store_batch_text(s, STORE_BATCH_STATES, span_from(text->data, text->len));
}

/* Values in the order of STATEMENT_STATES_WRITE; returns where the next one goes. */
static int64_t *
fill_cadence(struct store *s, const struct cadence *cadence, const struct cadence_summary *summary,
    int64_t *out)
{
	struct buf *text = &s->scratch;

	buf_clear(text);
	cadence_write(cadence, text);
	*out++ = keep_text(s, text);
	buf_clear(text);
	cadence_add_text(summary, text);
	*out++ = keep_text(s, text);
	*out++ = summary->interval_us > 0 ? summary->interval_us : STORE_BATCH_NULL;
	buf_clear(text);
	cadence_add_hours(summary, text);
	*out++ = keep_text(s, text);
	return out;
}

static void
fill_packed(struct store *s, const struct store_client_row *row, int64_t *out)
{
	struct buf *text = &s->scratch;

	*out++ = keep_text(s, &s->set.text);
	buf_clear(text);
	store_client_pack_days(row, text);
	*out++ = keep_text(s, text);
	buf_clear(text);
	store_client_pack_hour(row, text);
	*out = keep_text(s, text);
}

static int64_t
pack_marks(const struct store *s, const struct store_client_row *row,
    const struct cadence_summary *summary, uint8_t verdict)
{
	const struct finding_set *set = &s->set;
	int64_t share = summary->interval_us > 0 ? (int64_t)summary->share : 0;

	return verdict | (int64_t)row->name_source << MARKS_SOURCE_SHIFT |
	       share << MARKS_SHARE_SHIFT | (set->has_apart ? STORE_MARKS_APART : 0) |
	       (int64_t)set->worst_version << MARKS_WORST_SHIFT |
	       (int64_t)set->best_version << MARKS_BEST_SHIFT;
}

int
store_client_write(
    struct store *s, const struct store_client_row *row, uint8_t verdict, struct error *err)
{
	const enum store_batch_of of = STORE_BATCH_STATES;
	int64_t *out = store_batch_next(s, of, err);
	struct cadence_summary summary;

	if (out == NULL)
		return -1;
	cadence_summarise(&row->cadence, &summary);
	*out++ = row->id;
	*out++ = row->has_mac ? store_batch_text(s, of, span_from(row->mac, sizeof(row->mac)))
			      : STORE_BATCH_NULL;
	*out++ = store_batch_text(s, of, event_text_span(&row->name));
	*out++ = row->name.len > 0 ? row->name_us : STORE_BATCH_NULL;
	*out++ = row->first_us;
	*out++ = row->last_us;
	*out++ = (int64_t)row->count; /* never reaches the sign */
	*out++ = pack_marks(s, row, &summary, verdict);
	*out++ = keep_text(s, &s->reason);
	fill_packed(s, row, fill_cadence(s, &row->cadence, &summary, out));
	return 0;
}
