/*
 * A client's rows: who it is, which never changes (client), and what is known of it (client_state),
 * which does with each flush.  Both are written in batches, so a new client's number is given here.
 */
#include <string.h>

#include "event/device_name.h"
#include "store/store_internal.h"

#include "base/banned.h"

#define IP_KEY_MAX 17

/* Family and bytes: sorts as addr_compare does. */
static int
write_ip_key(const struct addr *ip, uint8_t out[IP_KEY_MAX])
{
	out[0] = ip->family;
	memcpy(out + 1, ip->bytes, sizeof(ip->bytes));
	return ip->family == 4 ? 5 : IP_KEY_MAX;
}

int
store_client_number(
    struct store *s, int64_t sensor_id, const struct addr *ip, int64_t *id, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_CLIENT_FIND, err);
	uint8_t key[IP_KEY_MAX];

	*id = 0;
	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, sensor_id);
	(void)sqlite3_bind_blob(st, 2, key, write_ip_key(ip, key), SQLITE_STATIC);
	return store_step_number(s, st, id, err);
}

/* The columns of STATEMENT_CLIENT_READ. */
static void
read_state(sqlite3_stmt *st, struct store_client_row *row)
{
	const void *mac = sqlite3_column_blob(st, 0);
	bool damaged = false; /* a name's source is not worth giving up for */

	row->has_mac = mac != NULL && sqlite3_column_bytes(st, 0) == 6;
	if (row->has_mac)
		memcpy(row->mac, mac, 6);
	event_text_set(&row->name, store_column_span(st, 1));
	row->name_source = (enum name_source)store_column_code(st, 2, NAME_SOURCE_LAST, &damaged);
	row->name_us = sqlite3_column_int64(st, 3);
	row->first_us = sqlite3_column_int64(st, 4);
	row->last_us = sqlite3_column_int64(st, 5);
	row->count = store_column_u64(st, 6);
	/* What cannot be read begins anew. */
	(void)cadence_read(store_column_span(st, 7), &row->cadence);
}

int
store_client_read(struct store *s, int64_t id, struct store_client_row *row, struct error *err)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_CLIENT_READ, err);
	int status;

	if (st == NULL)
		return -1;
	row->id = id;
	(void)sqlite3_bind_int64(st, 1, id);
	status = sqlite3_step(st);
	if (status == SQLITE_ROW)
		read_state(st, row);
	else if (status == SQLITE_DONE)
		store_error_damaged(s, err);
	else
		store_error(s, "read", err);
	(void)sqlite3_reset(st);
	return status == SQLITE_ROW ? 0 : -1;
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

/* `row->last_us` is still that of the flush before. */
static void
update_cadence(struct store_client_row *row, const struct tally_client *c)
{
	/* Only marks, or the end of sessions: nobody came. */
	if (c->event_count == 0)
		return;
	if (row->count > 0)
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

/* Numbers go up from the last one in use, as SQLite would give them. */
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

static int
write_new(struct store *s, int64_t sensor_id, const struct addr *ip, int64_t id, struct error *err)
{
	int64_t *row = store_batch_next(s, STORE_BATCH_CLIENTS, err);
	char text[ADDR_TEXT_LEN];
	uint8_t key[IP_KEY_MAX];
	int key_len = write_ip_key(ip, key);

	if (row == NULL)
		return -1;
	*row++ = id;
	*row++ = sensor_id;
	*row++ = store_batch_text(s, STORE_BATCH_CLIENTS, span_from(key, (size_t)key_len));
	*row = store_batch_text(s, STORE_BATCH_CLIENTS, span_from_text(addr_to_text(ip, text)));
	store_clients_keep(s, sensor_id, ip, id);
	return 0;
}

/* What was appended to `text` since the last call, which *done remembers. */
static int64_t
take_text(struct store *s, const struct buf *text, size_t *done)
{
	struct span part = span_from(text->data + *done, text->len - *done);

	*done = text->len;
	return store_batch_text(s, STORE_BATCH_STATES, part);
}

/* In the order of STATEMENT_STATES_WRITE. */
static void
fill_cadence(struct store *s, const struct cadence *cadence, int64_t *row)
{
	struct cadence_summary summary;
	struct buf *text = &s->scratch;
	size_t done = 0;

	buf_clear(text);
	cadence_summarise(cadence, &summary);
	cadence_write(cadence, text);
	*row++ = take_text(s, text, &done);
	cadence_add_text(&summary, text);
	*row++ = take_text(s, text, &done);
	*row++ = summary.interval_us > 0 ? summary.interval_us : STORE_BATCH_NULL;
	*row++ = summary.interval_us > 0 ? (int64_t)summary.share : STORE_BATCH_NULL;
	cadence_add_hours(&summary, text);
	*row = take_text(s, text, &done);
}

static int
write_state(struct store *s, const struct store_client_row *row, uint8_t verdict, struct error *err)
{
	const enum store_batch_of of = STORE_BATCH_STATES;
	int64_t *out = store_batch_next(s, of, err);

	if (out == NULL)
		return -1;
	*out++ = row->id;
	*out++ = row->has_mac ? store_batch_text(s, of, span_from(row->mac, sizeof(row->mac)))
			      : STORE_BATCH_NULL;
	*out++ = store_batch_text(s, of, event_text_span(&row->name));
	*out++ = (int64_t)row->name_source;
	*out++ = row->name.len > 0 ? row->name_us : STORE_BATCH_NULL;
	*out++ = row->first_us;
	*out++ = row->last_us;
	*out++ = (int64_t)row->count; /* never reaches the sign */
	*out++ = verdict;
	*out++ = store_batch_text(s, of, span_from(s->reason.data, s->reason.len));
	fill_cadence(s, &row->cadence, out);
	return 0;
}

int
store_client_write(struct store *s, int64_t sensor_id, const struct addr *ip,
    struct store_client_row *row, uint8_t verdict, struct error *err)
{
	if (row->id == 0 &&
	    (new_number(s, &row->id, err) != 0 || write_new(s, sensor_id, ip, row->id, err) != 0))
		return -1;
	return write_state(s, row, verdict, err);
}
