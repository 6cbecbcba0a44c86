/*
 * A client's days and hours.  The latest day and the latest hour are in its row, which is written
 * with each flush; they move into tables of their own when a later one comes.  So no row of these
 * tables is of the day, or the hour, that the client's row has.
 */
#include "store/client_row.h"
#include "store/columns.h"
#include "store/packed.h"

#include "base/banned.h"

/* Digits: STORE_ROW_DAY, STORE_ROW_HOUR. */
#define NUMBER_WIDTH 11
#define DAY_COUNT_WIDTH_MAX 18
#define HOUR_COUNT_WIDTH 9
#define HOUR_COUNT_MAX 999999999

/*
 * A version in eight bits: SSLv2, SSL 3.0 to TLS 1.3, and the drafts of TLS 1.3.  Any other is 0.
 */
static int64_t
pack_version(uint16_t version)
{
	if (version >= 0x7f00 && version <= 0x7f7f)
		return 0x80 | (version & 0x7f);
	if (version >= 0x0300 && version <= 0x033f)
		return 0x40 | (version & 0x3f);
	return version < 0x40 ? version : 0;
}

/* The number of a day.  A day that SQLite has no date for counts as the first, or the last. */
static int64_t
day_number(const struct tally_day *day)
{
	int64_t number = day->day + STORE_DAY_ZERO;

	number = number < 0 ? 0 : number > STORE_DAY_LAST ? STORE_DAY_LAST : number;
	return number << STORE_DAY_SHIFT | pack_version(day->tls_version) << 3 |
	       (int64_t)day->outcome;
}

static int
write_day(struct store *s, int64_t client_id, struct store_day_count day, struct error *err)
{
	int64_t *row = store_batch_next(s, STORE_BATCH_DAYS, err);

	if (row == NULL)
		return -1;
	row[0] = client_id << STORE_TIME_BITS | day.number;
	row[1] = (int64_t)day.count; /* never reaches the sign */
	return 0;
}

/* The row's day is over. */
static int
move_days(struct store *s, struct store_client_row *row, struct error *err)
{
	for (size_t i = 0; i < row->day_count; i++) {
		if (write_day(s, row->id, row->days[i], err) != 0)
			return -1;
	}
	row->day_count = 0;
	return 0;
}

/* The number of the row's latest day; negative: it has none. */
static int64_t
latest_day(const struct store_client_row *row)
{
	return row->day_count > 0 ? row->days[0].number >> STORE_DAY_SHIFT : -1;
}

int
store_client_add_day(
    struct store *s, struct store_client_row *row, const struct tally_day *day, struct error *err)
{
	struct store_day_count more = { day_number(day), day->count };
	int64_t number = more.number >> STORE_DAY_SHIFT, latest = latest_day(row);

	if (number > latest && move_days(s, row, err) != 0)
		return -1;
	for (size_t i = 0; i < row->day_count; i++) {
		if (row->days[i].number == more.number) {
			row->days[i].count += more.count;
			return 0;
		}
	}
	if (number < latest || row->day_count == STORE_ROW_DAYS_MAX)
		return write_day(s, row->id, more, err);
	row->days[row->day_count++] = more;
	return 0;
}

/* Writes an hour into its table, and has the client's hours trimmed to as many as are kept. */
static int
write_hour(struct store *s, int64_t client_id, const struct tally_hour *hour, struct error *err)
{
	if (store_add_hour(s, client_id, hour, err) != 0)
		return -1;
	return store_trim_hours(s, client_id, err);
}

int
store_client_add_hour(
    struct store *s, struct store_client_row *row, const struct tally_hour *hour, struct error *err)
{
	struct tally_hour *latest = &row->hour;

	if (row->has_hour && hour->hour == latest->hour) {
		latest->sessions += hour->sessions;
		latest->short_sessions += hour->short_sessions;
		latest->failed_logins += hour->failed_logins;
		latest->accepted_logins += hour->accepted_logins;
		if (hour->failed_names > latest->failed_names)
			latest->failed_names = hour->failed_names;
		return 0;
	}
	if (row->has_hour && hour->hour < latest->hour)
		return write_hour(s, row->id, hour, err);
	if (row->has_hour && write_hour(s, row->id, latest, err) != 0)
		return -1;
	row->has_hour = true;
	*latest = *hour;
	return 0;
}

void
store_client_drop_times(
    struct store_client_row *row, int64_t first_day, int64_t first_hour, size_t *count)
{
	if (row->day_count > 0 && latest_day(row) - STORE_DAY_ZERO < first_day) {
		*count += row->day_count;
		row->day_count = 0;
	}
	if (row->has_hour && row->hour.hour < first_hour) {
		*count += 1;
		row->has_hour = false;
	}
}

static bool
read_day(struct span item, struct store_day_count *out)
{
	uint64_t number;

	if (!store_packed_take(&item, NUMBER_WIDTH, &number) || item.len == 0 ||
	    item.len > DAY_COUNT_WIDTH_MAX ||
	    !store_packed_take(&item, (unsigned)item.len, &out->count))
		return false;
	out->number = (int64_t)number;
	return number >> STORE_TIME_BITS == 0;
}

/* A row with more days than are written into one, or with several, is none of ours. */
void
store_client_read_days(struct span text, struct store_client_row *row, bool *damaged)
{
	struct store_day_count day;
	struct span item;

	row->day_count = 0;
	while (store_packed_next(&text, &item, damaged)) {
		if (row->day_count == STORE_ROW_DAYS_MAX || !read_day(item, &day) ||
		    (row->day_count > 0 && day.number >> STORE_DAY_SHIFT != latest_day(row))) {
			*damaged = true;
			return;
		}
		row->days[row->day_count++] = day;
	}
}

void
store_client_read_hour(struct span text, struct store_client_row *row, bool *damaged)
{
	struct tally_hour *h = &row->hour;
	uint64_t number, names;

	row->has_hour = text.len > 0;
	if (!row->has_hour)
		return;
	if (!store_packed_take(&text, NUMBER_WIDTH, &number) || number >> STORE_TIME_BITS != 0 ||
	    !store_packed_take(&text, HOUR_COUNT_WIDTH, &h->sessions) ||
	    !store_packed_take(&text, HOUR_COUNT_WIDTH, &h->short_sessions) ||
	    !store_packed_take(&text, HOUR_COUNT_WIDTH, &h->failed_logins) ||
	    !store_packed_take(&text, HOUR_COUNT_WIDTH, &h->accepted_logins) ||
	    !store_packed_take(&text, HOUR_COUNT_WIDTH, &names) || text.len > 0) {
		*damaged = true;
		return;
	}
	h->hour = (int64_t)number - STORE_HOUR_ZERO;
	h->failed_names = (uint32_t)names;
}

/* A count takes as many digits as it has. */
void
store_client_pack_days(const struct store_client_row *row, struct buf *out)
{
	for (size_t i = 0; i < row->day_count; i++) {
		char item[NUMBER_WIDTH + DAY_COUNT_WIDTH_MAX], *end = item;
		unsigned width = 1;

		for (uint64_t beyond = 10;
		     width < DAY_COUNT_WIDTH_MAX && row->days[i].count >= beyond; beyond *= 10)
			width++;
		end = store_packed_put(end, (uint64_t)row->days[i].number, NUMBER_WIDTH);
		end = store_packed_put(end, row->days[i].count, width);
		store_packed_add(out, item, (size_t)(end - item));
	}
	store_packed_end(out);
}

/* Nobody has more than HOUR_COUNT_MAX in an hour. */
static char *
put_hour_count(char *out, uint64_t count)
{
	return store_packed_put(
	    out, count < HOUR_COUNT_MAX ? count : HOUR_COUNT_MAX, HOUR_COUNT_WIDTH);
}

void
store_client_pack_hour(const struct store_client_row *row, struct buf *out)
{
	const struct tally_hour *h = &row->hour;
	char *begin, *end;

	if (!row->has_hour)
		return;
	begin = end = buf_reserve(out, NUMBER_WIDTH + 5 * HOUR_COUNT_WIDTH);
	end = store_packed_put(end, (uint64_t)(h->hour + STORE_HOUR_ZERO), NUMBER_WIDTH);
	end = put_hour_count(end, h->sessions);
	end = put_hour_count(end, h->short_sessions);
	end = put_hour_count(end, h->failed_logins);
	end = put_hour_count(end, h->accepted_logins);
	end = put_hour_count(end, h->failed_names);
	out->len += (size_t)(end - begin);
}
