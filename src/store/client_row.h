/*
 * client_row - the row of a client: its numbers, its latest day and hour, and where it is.
 */
#ifndef TLSTALLY_STORE_CLIENT_ROW_H
#define TLSTALLY_STORE_CLIENT_ROW_H

#include "store/store_internal.h"

/* client_row.c */
/* Handshakes of one day, version and outcome; the number is that of a row of `day`, less its
 * client's. */
struct store_day_count {
	int64_t number;
	uint64_t count;
};
/* Of a client's latest day so many are in its row; the others in `day`. */
#define STORE_ROW_DAYS_MAX 24

/* What is known of a client, brought up to date. */
struct store_client_row {
	int64_t id; /* 0: not stored yet */
	bool has_mac;
	uint8_t mac[6];
	struct event_text name; /* printable */
	enum name_source name_source;
	int64_t name_us;
	int64_t first_us, last_us;
	uint64_t count;
	struct cadence cadence;
	/* Its latest day and hour; earlier ones are in tables of their own. */
	struct store_day_count days[STORE_ROW_DAYS_MAX];
	size_t day_count;
	bool has_hour;
	struct tally_hour hour;
};

/* The small numbers of a client's row, packed into one. */
#define STORE_CLIENT_VERDICT(marks) "(" marks " & 255)"
#define STORE_CLIENT_NAME_SOURCE(marks) "(" marks " >> 8 & 255)"
#define STORE_CLIENT_SHARE(marks) "(" marks " >> 16 & 255)"
#define STORE_CLIENT_WORST(marks) "(" marks " >> 32 & 65535)"
#define STORE_CLIENT_BEST(marks) "(" marks " >> 48)"
#define STORE_MARKS_APART (INT64_C(1) << 24) /* it has rows of `finding` */
#define STORE_MARKS_APART_SQL "(1 << 24)"

/* The key of a client: two values. */
void store_bind_client(sqlite3_stmt *st, int index, int64_t sensor_id, const struct addr *ip);
/* Asks the database; 0: there is none. */
int store_client_number(
    struct store *s, int64_t sensor_id, const struct addr *ip, int64_t *id, struct error *err);
/* What is stored of a client, and into s->set all of its findings. */
int store_client_load(struct store *s, int64_t id, const struct addr *ip,
    struct store_client_row *row, struct error *err);
/* The rule of tally.h: the latest decides, an earlier one fills what is not known yet. */
void store_client_update(
    struct store_client_row *row, const struct tally_client *c, struct buf *scratch);
/* Gives a new client its number, and a place among clients. */
int store_client_make(struct store *s, int64_t sensor_id, const struct addr *ip,
    struct store_client_row *row, struct error *err);
/* With s->reason, and what store_set_write left in s->set. */
int store_client_write(
    struct store *s, const struct store_client_row *row, uint8_t verdict, struct error *err);

/* client_times.c */
/* Counts a day or an hour in the row, and writes what is not the latest. */
int store_client_add_day(
    struct store *s, struct store_client_row *row, const struct tally_day *day, struct error *err);
int store_client_add_hour(struct store *s, struct store_client_row *row,
    const struct tally_hour *hour, struct error *err);
/* Removes the row's day or hour if it is before these; *count grows by how many counts went. */
void store_client_drop_times(
    struct store_client_row *row, int64_t first_day, int64_t first_hour, size_t *count);
void store_client_read_days(struct span text, struct store_client_row *row, bool *damaged);
void store_client_read_hour(struct span text, struct store_client_row *row, bool *damaged);
void store_client_pack_days(const struct store_client_row *row, struct buf *out);
void store_client_pack_hour(const struct store_client_row *row, struct buf *out);

/* client_numbers.c */
/* As store_client_number, but asks the database only for what is not known. */
int store_clients_find(
    struct store *s, int64_t sensor_id, const struct addr *ip, int64_t *id, struct error *err);
/* *none: the sensor has no clients yet, not even among the rows that wait. */
int store_clients_none(struct store *s, int64_t sensor_id, bool *none, struct error *err);
void store_clients_keep(struct store *s, int64_t sensor_id, const struct addr *ip, int64_t id);
/* When clients may have been removed, or written by others. */
void store_clients_forget(struct store *s);

#endif
