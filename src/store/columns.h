/*
 * columns - how findings, days and hours stand in columns of numbers and texts, and the SQL that
 * takes them out again; in one order for all statements and views.
 */
#ifndef TLSTALLY_STORE_COLUMNS_H
#define TLSTALLY_STORE_COLUMNS_H

#include <stdint.h>

/*
 * The columns of a finding.
 *
 * The numbers of its kind are packed into two, most significant first, so that kinds stand in the
 * order of tally_key_compare and a statement has few values to carry:
 *
 *   service  port 16 bits, protocol 8, TLS mode 8
 *   way      version 16 (15 used), offered version 16, outcome 8, refused_by 8, refusal 8, alert 8
 */
#define STORE_PORT(service) "(" service " >> 16)"
#define STORE_PROTOCOL(service) "(" service " >> 8 & 255)"
#define STORE_TLS_MODE(service) "(" service " & 255)"
#define STORE_VERSION(way) "(" way " >> 48)"
#define STORE_OFFERED(way) "(" way " >> 32 & 65535)"
#define STORE_OUTCOME(way) "(" way " >> 24 & 255)"
#define STORE_REFUSED_BY(way) "(" way " >> 16 & 255)"
#define STORE_VERSION_MAX 0x7fff

#define STORE_STORY_COLUMNS                                                                        \
	"t.server_ip, t.server_name_source, t.cipher_suite, t.ja4, t.limited_by, "                 \
	"t.certificate_subject, t.certificate_not_after_us, t.offers, t.suites_all, "              \
	"t.suites_any, t.fallback_from"
#define STORE_FINDING_KEY_COLUMNS "k.server, k.service, k.way"
#define STORE_FINDING_OWN_COLUMNS "f.count, f.first_us, f.last_us, f.judged, f.ended_count"
#define STORE_FINDING_OWN_COUNT 5
#define STORE_FINDING_MORE_COLUMNS                                                                 \
	"m.gap_count, m.login_count, m.scsv_count, m.fallback_count, m.dropped_early_count, "      \
	"m.dropped_early_us, m.dropped_early_len"
#define STORE_FINDING_MORE_COUNT 7
/*
 * So many findings of a client, the first ones, stand in its own row, as all of them are read and
 * judged together (packed.c); one whose numbers are too large has a row of its own.  SQLite takes
 * an integer as it is, but time and memory for every piece of a text; so the number that is named
 * has what views ask for most: the judgement, and below it 16 digits, the first time.  The name
 * begins with kind and story, 8 digits each.  A space, the count with 7 digits, and how long after
 * the first time the last one was follow, unless it was seen once; and where one of them is not 0,
 * a space and what finding_more has, behind the number of sessions ended.
 */
#define STORE_OWN_FINDINGS_MAX 48
/* As an INTEGER a text is worth the number at its beginning. */
#define STORE_OWN_PLACE "CAST(f.key AS INTEGER)"
#define STORE_OWN_KIND "(" STORE_OWN_PLACE " / 100000000)"
#define STORE_OWN_STORY "(" STORE_OWN_PLACE " % 100000000)"
#define STORE_OWN_FIRST_US "(f.value % 10000000000000000)"
#define STORE_OWN_JUDGED "(f.value / 10000000000000000)"
#define STORE_OWN_TEXT(place) "CAST(substr(f.key, " place ") AS INTEGER)"
#define STORE_OWN_COUNT                                                                            \
	"CASE WHEN " STORE_OWN_JUDGED " & 256 THEN 1 ELSE " STORE_OWN_TEXT("18, 7") " END"
#define STORE_OWN_LEN_US                                                                           \
	"CASE WHEN " STORE_OWN_JUDGED " & 256 THEN 0 ELSE " STORE_OWN_TEXT("25") " END"
/* Places count from the end of the text, where this stands if any of it is not 0. */
#define STORE_OWN_MORE(place)                                                                      \
	"CASE WHEN " STORE_OWN_JUDGED " & 64 THEN " STORE_OWN_TEXT(place ", 7") " ELSE 0 END"
#define STORE_OWN_GAPS STORE_OWN_MORE("-63")
#define STORE_OWN_LOGINS STORE_OWN_MORE("-56")
#define STORE_OWN_FALLBACKS STORE_OWN_MORE("-42")
#define STORE_OWN_DROPPED STORE_OWN_MORE("-35")
/* Where nothing else is said, the end of all sessions was seen, or of none. */
#define STORE_OWN_ENDED                                                                            \
	"CASE WHEN " STORE_OWN_JUDGED " & 64 THEN " STORE_OWN_TEXT(                                \
	    "-70, 7") " WHEN " STORE_OWN_JUDGED " & 128 THEN " STORE_OWN_COUNT " ELSE 0 END"
/*
 * What the judge said, and what is in this row.  So few bits that they fit in front of a time; no
 * rank is the highest of its four.
 */
#define STORE_VERDICT(judged) "(" judged " & 15)"
#define STORE_JUDGED_RANK_NONE 15
#define STORE_JUDGED_SERVER_SHIFT 4         /* STORE_SERVER_*, two bits */
#define STORE_JUDGED_MORE (1 << 6)          /* there is something of finding_more */
#define STORE_JUDGED_OWN_ALL_ENDED (1 << 7) /* of the client's own ones only, as what follows */
#define STORE_JUDGED_OWN_ONCE (1 << 8)
/*
 * A finding's number is that of its client, and of its kind in the lower bits: SQLite then finds a
 * row by comparing integers, and writes one over another of the same length.
 */
#define STORE_KIND_BITS 32
#define STORE_KIND_MAX ((INT64_C(1) << STORE_KIND_BITS) - 1)
#define STORE_FINDING_KIND(id) "(" id " & 4294967295)"
#define STORE_IS_OF_CLIENT(id, client)                                                             \
	id " BETWEEN (" client " << 32) AND (" client " << 32) + 4294967295"
#define STORE_CLIENT_TABLES                                                                        \
	"client c JOIN client_state x ON x.id = c.id JOIN sensor s ON s.id = c.sensor"
/*
 * The same for counts by time.  The number of a day: its client's, the day (23 bits), the version
 * (8, see client_times.c) and the outcome (3).  That of an hour: its client's, and the hour.  Days
 * and hours are counted from long before 1970.
 */
#define STORE_TIME_BITS 34
#define STORE_DAY_SHIFT 11
#define STORE_DAY_ZERO (1 << 22)
#define STORE_DAY_LAST ((1 << 23) - 1)
#define STORE_HOUR_ZERO (INT64_C(1) << 33)
#define STORE_IS_TIME_OF(id, client)                                                               \
	id " BETWEEN (" client " << 34) AND (" client " << 34) + 17179869183"
#define STORE_DAY(id) "((" id " >> 11 & 8388607) - 4194304)"
#define STORE_DAY_VERSION(id)                                                                      \
	"CASE WHEN " id " >> 10 & 1 THEN 32512 + (" id " >> 3 & 127) WHEN " id                     \
	" >> 9 & 1 THEN 768 + (" id " >> 3 & 63) ELSE " id " >> 3 & 63 END"
#define STORE_DAY_OUTCOME(id) "(" id " & 7)"
#define STORE_HOUR(id) "((" id " & 17179869183) - 8589934592)"
/* One day of json_each(x.days), the client's latest: its number, and then the count. */
#define STORE_ROW_DAY "CAST(substr(d.value, 1, 11) AS INTEGER)"
#define STORE_ROW_DAY_COUNT "CAST(substr(d.value, 12) AS INTEGER)"
/* And of its latest hour: its number, as above, then 9 digits each. */
#define STORE_ROW_HOUR "(CAST(substr(x.hour, 1, 11) AS INTEGER) - 8589934592)"
#define STORE_ROW_HOUR_COUNT(place) "CAST(substr(x.hour, " place ", 9) AS INTEGER)"
/* A row of the table, or one of the client's latest day in its own row. */
#define STORE_DAY_COLUMNS_OF(number, count)                                                        \
	STORE_DAY(number)                                                                          \
	" AS day, " STORE_DAY_VERSION(number) " AS version, " STORE_DAY_OUTCOME(                   \
	    number) " AS outcome, " count " AS count"
#define STORE_DAY_COLUMNS STORE_DAY_COLUMNS_OF("d.id", "d.count")
#define STORE_LATEST_DAY_COLUMNS STORE_DAY_COLUMNS_OF(STORE_ROW_DAY, STORE_ROW_DAY_COUNT)
/* The row of the table, or that of the client, of which the latest hour is. */
#define STORE_HOUR_COLUMNS                                                                         \
	STORE_HOUR("h.id")                                                                         \
	" AS hour, h.sessions AS sessions, h.short_sessions AS short_sessions,"                    \
	" h.failed_logins AS failed_logins, h.accepted_logins AS"                                  \
	" accepted_logins, h.failed_names AS failed_names"
/* clang-format off */
#define STORE_LATEST_HOUR_COLUMNS \
	STORE_ROW_HOUR ", " \
	STORE_ROW_HOUR_COUNT("12") ", " \
	STORE_ROW_HOUR_COUNT("21") ", " \
	STORE_ROW_HOUR_COUNT("30") ", " \
	STORE_ROW_HOUR_COUNT("39") ", " \
	STORE_ROW_HOUR_COUNT("48")
/* clang-format on */
/*
 * A live run `r` was more than that the daemon ran: an interface was up.  The two times are
 * measured by different threads.
 */
#define STORE_RUN_CAPTURED                                                                         \
	"NOT EXISTS (SELECT 1 FROM run_counter n WHERE n.run = r.id AND n.value > 0"               \
	" AND n.name = 'interface_down_ms' AND n.value * 100000 >= 99 * (r.end_us - r.begin_us)"   \
	" * (SELECT count(*) FROM run_source q WHERE q.run = r.id))"
/* The largest number of a client that leaves room for all of that, and for a kind. */
#define STORE_CLIENT_MAX (INT64_MAX >> STORE_TIME_BITS)

#endif
