/* The views that people read: SPEC section 5.  Documented in the README; columns are only added. */
#include "store/client_row.h"
#include "store/columns.h"

#include "base/banned.h"

/*
 * RFC 3339, section 5.6, in UTC; rounded down, also before 1970, hence from a time long before.
 * `us` stands here as seldom as can be, because SQLite works it out each time; datetime() and
 * replace() together cost two thirds of strftime().
 */
#define LONG_BEFORE_S "1000000000000"
#define SINCE_LONG_BEFORE(us) "(" us " + " LONG_BEFORE_S "000000)"
#define TIME(us)                                                                                   \
	"replace(datetime(" SINCE_LONG_BEFORE(                                                     \
	    us) " / 1000000 - " LONG_BEFORE_S                                                      \
		", 'unixepoch'), ' ', 'T') || printf('.%06dZ', " SINCE_LONG_BEFORE(                \
		    us) " % 1000000)"
#define VERSION(v)                                                                                 \
	"CASE " v " WHEN 2 THEN 'SSLv2' WHEN 768 THEN 'SSLv3' WHEN 769 THEN 'TLSv1.0' "            \
	"WHEN 770 THEN 'TLSv1.1' WHEN 771 THEN 'TLSv1.2' WHEN 772 THEN 'TLSv1.3' END"
#define VERDICT(v)                                                                                 \
	"CASE " v " WHEN 0 THEN 'broken' WHEN 1 THEN 'will-break' WHEN 2 THEN 'legacy' "           \
	"WHEN 3 THEN 'server-limited' WHEN 4 THEN 'cleartext' WHEN 5 THEN 'unclear' "              \
	"WHEN 6 THEN 'ok' END"
#define OUTCOME(v)                                                                                 \
	"CASE " v " WHEN 0 THEN 'established' WHEN 1 THEN 'negotiated' WHEN 2 THEN 'refused' "     \
	"WHEN 3 THEN 'unanswered' WHEN 4 THEN 'cleartext' END"
#define PROTOCOL(v)                                                                                \
	"CASE " v " WHEN 1 THEN 'TLS' WHEN 2 THEN 'IMAP' WHEN 3 THEN 'POP3' WHEN 4 THEN 'SMTP' "   \
	"END"
#define TLS_MODE(v)                                                                                \
	"CASE " v " WHEN 0 THEN 'none' WHEN 1 THEN 'implicit' WHEN 2 THEN 'starttls' END"
#define SIDE(v) "CASE " v " WHEN 1 THEN 'client' WHEN 2 THEN 'server' END"
#define NAME_SOURCE(v)                                                                             \
	"CASE " v " WHEN 1 THEN 'sni' WHEN 2 THEN 'dns' WHEN 3 THEN 'certificate' "                \
	"WHEN 4 THEN 'range' WHEN 5 THEN 'ehlo' WHEN 6 THEN 'imap-id' WHEN 7 THEN 'dhcp' "         \
	"WHEN 8 THEN 'mdns' WHEN 9 THEN 'nbns' END"
/* The range file, where nothing else names the server: STORE_SERVER_BY_RANGE. */
#define SERVER_NAME_SOURCE(judged)                                                                 \
	"CASE WHEN t.server_name_source = 0 AND " judged                                           \
	" & 32 THEN 'range' ELSE " NAME_SOURCE("t.server_name_source") " END"
/* By its address alone nobody can tell. */
#define LEGACY_ENDPOINT(judged) "CASE WHEN " judged " & 32 THEN NULL ELSE " judged " >> 4 & 1 END"
#define MAC_BYTE(from) "substr(hex(x.mac), " from ", 2)"
#define MAC                                                                                                               \
	"CASE WHEN x.mac IS NULL THEN NULL ELSE lower(" MAC_BYTE("1") " || ':' || " MAC_BYTE("3") " || ':' || " MAC_BYTE( \
	    "5") " || ':' || " MAC_BYTE("7") " || ':' || " MAC_BYTE("9") " || ':' || " MAC_BYTE("11") ") END"
/* Asked in this way, SQLite does not look for them where nobody asks for a MAC address. */
#define IS_ROUTERS_MAC                                                                             \
	"(x.mac IS NOT NULL AND (c.sensor, x.mac) IN (SELECT sensor, mac FROM known_routers))"
#define DAY(us) "(" us " / 86400000000)"
#define LAST_DAY_OF_SENSOR DAY("(SELECT max(end_us) FROM run WHERE sensor = c.sensor)")
/* The sensor's observed days, numbered; where a day has none, the one before it. */
#define OBSERVED_UP_TO(day)                                                                        \
	"(SELECT max(o.number) FROM observed o WHERE o.sensor = c.sensor AND o.day <= " day ")"
/* Days between the client's last one and the sensor's, each in a capture. */
#define SILENT_DAYS OBSERVED_UP_TO(LAST_DAY_OF_SENSOR " - 1") " - " OBSERVED_UP_TO(DAY("x.last_us"))
/*
 * In observed days: while the sensor is away nobody is late.  Of many gaps the one that nine of ten
 * do not exceed, as in reports.  A client that was seen on one day only has none, but several times
 * is every day.
 */
#define CADENCE                                                                                    \
	"coalesce((SELECT gap FROM (SELECT gap, row_number() OVER (ORDER BY gap) AS place,"        \
	" count(*) OVER () AS gaps FROM (SELECT o.number - lag(o.number) OVER (ORDER BY o.number)" \
	" AS gap FROM (SELECT " STORE_DAY("id") " AS day FROM day WHERE " STORE_IS_TIME_OF("id",   \
	    "c.id") " UNION SELECT " STORE_DAY(STORE_ROW_DAY) " FROM json_each(x.days) d) came"    \
							      " JOIN observed o ON o.sensor = "    \
							      "c.sensor AND o.day = came.day)"     \
							      " WHERE gap IS NOT NULL) WHERE "     \
							      "place = CASE WHEN gaps < 10 THEN "  \
							      "gaps ELSE (9 * gaps + 9) / 10 END)" \
							      ", CASE WHEN x.count >= 4 THEN 1 "   \
							      "ELSE 7 END)"
/*
 * All findings of a client: those in its row, and the numbers of those that have rows of their own,
 * put together as one object of JSON.  So a query has one source for them, and SQLite works out no
 * column that is not asked for; of two queries joined by UNION ALL it does all, where the one
 * around them counts, groups or joins.
 */
#define EACH_FINDING                                                                               \
	"json_each(coalesce(coalesce(substr(x.own_findings, 1, length(x.own_findings) - 1) || ','" \
	", '{') || (SELECT group_concat('\"' || id || '\":null') FROM finding"                     \
	" WHERE x.marks & " STORE_MARKS_APART_SQL                                                  \
	" AND " STORE_IS_OF_CLIENT("id", "x.id") ")"                                               \
						 " || '}', x.own_findings)) f"                     \
						 " LEFT JOIN finding a ON a.id = CASE WHEN "       \
						 "f.value IS NULL THEN CAST(f.key AS INTEGER) END" \
						 " LEFT JOIN finding_more m ON m.id = a.id"
#define EITHER(apart, own) "coalesce(" apart ", " own ")"
#define FINDING_JUDGED EITHER("a.judged", STORE_OWN_JUDGED)
#define FINDING_LAST_US EITHER("a.last_us", STORE_OWN_FIRST_US " + " STORE_OWN_LEN_US)
/* Where it has a row, but none of finding_more, there is none of it. */
#define FINDING_MORE(apart, own)                                                                   \
	"CASE WHEN a.id IS NOT NULL THEN " EITHER(apart, "0") " ELSE " own " END"
#define FINDING_FALLBACKS FINDING_MORE("m.fallback_count", STORE_OWN_FALLBACKS)
#define FINDING_DROPPED FINDING_MORE("m.dropped_early_count", STORE_OWN_DROPPED)
/* With what many share; the order is for SQLite, which cannot tell how few a client has. */
#define FINDING_TABLES                                                                             \
	EACH_FINDING                                                                               \
	" CROSS JOIN kind k ON k.id = " EITHER(STORE_FINDING_KIND("a.id"),                         \
	    STORE_OWN_KIND) " CROSS JOIN story t ON t.id = " EITHER("a.story", STORE_OWN_STORY)
#define COUNTER(name) "(SELECT value FROM run_counter WHERE run = r.id AND name = '" name "')"
#define FRAMES_CUT "(SELECT sum(snapped) FROM run_source WHERE run = r.id)"
/* Where a mirror cuts packets, the frames around them are whole, and only the payloads tell. */
#define CUT                                                                                        \
	"max(coalesce(" FRAMES_CUT                                                                 \
	", " COUNTER("snapped") "), coalesce(" COUNTER("snapped") ", " FRAMES_CUT "))"

/* A line per column, in the order of the names above them. */
/* clang-format off */
static const char inventory_view[] =
    "CREATE VIEW inventory (sensor, client, protocol, tls_mode, server, server_ip, server_port,"
    " tls_version, offered_version, outcome, refused_by, refusal, limited_by, count, first_seen,"
    " last_seen, cipher_suite, ja4, verdict, server_name_source, certificate_subject,"
    " certificate_not_after, with_capture_gap, cleartext_logins, legacy_endpoint,"
    " fallbacks, fallback_from, ended, dropped_early) AS SELECT "
    "s.name, c.ip, "
    PROTOCOL(STORE_PROTOCOL("k.service")) ", "
    TLS_MODE(STORE_TLS_MODE("k.service")) ", "
    "k.server, t.server_ip, " STORE_PORT("k.service") ", "
    VERSION(STORE_VERSION("k.way")) ", "
    VERSION(STORE_OFFERED("k.way")) ", "
    OUTCOME(STORE_OUTCOME("k.way")) ", "
    SIDE(STORE_REFUSED_BY("k.way")) ", "
    "k.refusal_text, "
    SIDE("t.limited_by") ", "
    EITHER("a.count", STORE_OWN_COUNT) ", "
    TIME(EITHER("a.first_us", STORE_OWN_FIRST_US)) ", "
    TIME(FINDING_LAST_US) ", "
    "CASE " STORE_VERSION("k.way") " WHEN 2 THEN t.sslv2_cipher_text ELSE t.cipher_suite_text END, "
    "t.ja4, "
    VERDICT(STORE_VERDICT(FINDING_JUDGED)) ", ";

static const char inventory_view_rest[] =
    SERVER_NAME_SOURCE(FINDING_JUDGED) ", "
    "t.certificate_subject, "
    TIME("t.certificate_not_after_us") ", "
    FINDING_MORE("m.gap_count", STORE_OWN_GAPS) ", "
    FINDING_MORE("m.login_count", STORE_OWN_LOGINS) ", "
    LEGACY_ENDPOINT(FINDING_JUDGED) ", "
    FINDING_FALLBACKS ", "
    VERSION("t.fallback_from") ", "
    EITHER("a.ended_count", STORE_OWN_ENDED) ", "
    FINDING_DROPPED
    " FROM " STORE_CLIENT_TABLES " CROSS JOIN " FINDING_TABLES;

/*
 * Not for people: the MAC addresses behind which several clients are.  An address that was given to
 * another device, or a device that was given another one, is not at two places at the same time; of
 * IPv6, a device has many addresses in one network, and often two networks.
 */
static const char routers_view[] =
    "CREATE VIEW routers (sensor, mac) AS WITH"
    " places (sensor, mac, family, place, first_us, last_us) AS ("
    " SELECT sensor, mac, substr(ip_key, 1, 1),"
    " CASE substr(ip_key, 1, 1) WHEN x'04' THEN ip_key ELSE substr(ip_key, 1, 9) END,"
    " min(first_us), max(last_us) FROM client JOIN client_state USING (id)"
    " WHERE mac IS NOT NULL AND substr(ip_key, 2, 2) <> x'fe80' GROUP BY 1, 2, 3, 4),"
    " stays AS (SELECT *, max(last_us) OVER (PARTITION BY sensor, mac, family"
    " ORDER BY first_us, place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_us"
    " FROM places),"
    " crowds AS (SELECT sensor, mac, family, count(*) AS places,"
    " sum(first_us <= before_us) AS together,"
    " sum(first_us <= before_us + 86400000000) AS within_a_day,"
    " max(last_us) - min(first_us) AS time_us FROM stays GROUP BY sensor, mac, family)"
    " SELECT DISTINCT sensor, mac FROM crowds WHERE"
    " family = x'04' AND (together >= 1 OR within_a_day >= 2 OR"
    " places >= 2 AND time_us <= 3600000000) OR family = x'06' AND together >= 2";

static const char clients_view[] =
    "CREATE VIEW clients (sensor, client, client_name, client_name_source, client_mac,"
    " worst_version, best_version, verdict, reason, first_seen, last_seen, count, days_seen,"
    " fallbacks, quiet_since,"
    " router_mac, ja4, cadence, interval_s, interval_share, active_hours, dropped_early)"
    " AS WITH known_routers AS MATERIALIZED (SELECT sensor, mac FROM routers),"
    /* A capture may last for many days; for none that long, where its times are wrong. */
    " captured (sensor, day, last_day) AS (SELECT sensor, " DAY("begin_us") ", " DAY("end_us") " FROM"
    /* A live run knows when it listened; its sources do not. */
    " (SELECT sensor, begin_us, end_us FROM run r WHERE command = 'capture' AND " STORE_RUN_CAPTURED
    " UNION ALL SELECT r.sensor, q.begin_us, q.end_us FROM run r JOIN run_source q ON q.run = r.id)"
    " WHERE " DAY("end_us") " - " DAY("begin_us") " BETWEEN 0 AND 40000"
    " UNION SELECT sensor, day + 1, last_day FROM captured WHERE day < last_day),"
    " observed (sensor, day, number) AS MATERIALIZED (SELECT sensor, day,"
    " row_number() OVER (PARTITION BY sensor ORDER BY day) FROM"
    " (SELECT DISTINCT sensor, day FROM captured))";

static const char clients_view_columns[] =
    " SELECT s.name, c.ip, x.name, "
    NAME_SOURCE(STORE_CLIENT_NAME_SOURCE("x.marks")) ", "
    "CASE WHEN NOT " IS_ROUTERS_MAC " THEN " MAC " END, "
    VERSION(STORE_CLIENT_WORST("x.marks")) ", "
    VERSION(STORE_CLIENT_BEST("x.marks")) ", "
    VERDICT(STORE_CLIENT_VERDICT("x.marks")) ", "
    "CASE x.reason WHEN '' THEN NULL ELSE x.reason END, "
    TIME("x.first_us") ", "
    TIME("x.last_us") ", "
    "x.count, "
    "(SELECT count(DISTINCT " STORE_DAY("id") ") FROM day WHERE " STORE_IS_TIME_OF("id", "c.id") ")"
    " + (x.days IS NOT NULL), "
    "(SELECT coalesce(sum(" FINDING_FALLBACKS "), 0) FROM " EACH_FINDING "), "
    /* The quick test first: most clients came yesterday or today. */
    "CASE WHEN " STORE_CLIENT_VERDICT("x.marks") " = 6 OR " DAY("x.last_us") " >= " LAST_DAY_OF_SENSOR " - 1 THEN NULL"
    " WHEN " SILENT_DAYS " >= " CADENCE " THEN " TIME("x.last_us") " END, "
    "CASE WHEN " IS_ROUTERS_MAC " THEN " MAC " END, ";

static const char clients_view_rest[] =
    "(SELECT t.ja4 FROM " FINDING_TABLES " WHERE t.ja4 IS NOT NULL"
    " ORDER BY " FINDING_LAST_US " DESC, k.server, k.service, k.way LIMIT 1), "
    "x.cadence_text, "
    "round(x.interval_us / 1e6, 1), "
    "CASE WHEN x.interval_us IS NOT NULL THEN " STORE_CLIENT_SHARE("x.marks") " END, x.active_hours, "
    "(SELECT coalesce(sum(" FINDING_DROPPED "), 0) FROM " EACH_FINDING ")"
    " FROM " STORE_CLIENT_TABLES;

#define DAYS_COLUMNS(number, count) \
    "s.name, c.ip, " \
    "date(" STORE_DAY(number) " * 86400, 'unixepoch'), " \
    VERSION(STORE_DAY_VERSION(number)) ", " \
    OUTCOME(STORE_DAY_OUTCOME(number)) ", " \
    count

static const char days_view[] =
    "CREATE VIEW days (sensor, client, day, tls_version, outcome, count) AS SELECT "
    DAYS_COLUMNS("d.id", "d.count")
    " FROM client c JOIN sensor s ON s.id = c.sensor CROSS JOIN day d"
    " WHERE " STORE_IS_TIME_OF("d.id", "c.id")
    " UNION ALL SELECT "
    DAYS_COLUMNS(STORE_ROW_DAY, STORE_ROW_DAY_COUNT)
    " FROM " STORE_CLIENT_TABLES " CROSS JOIN json_each(x.days) d";

#define HOUR(hour) "strftime('%Y-%m-%dT%H:00:00Z', " hour " * 3600, 'unixepoch')"

static const char logins_view[] =
    "CREATE VIEW logins (sensor, client, hour, sessions, short_sessions, failed_logins,"
    " accepted_logins, failed_names) AS SELECT"
    " s.name, c.ip, "
    HOUR(STORE_HOUR("h.id")) ", "
    "h.sessions, h.short_sessions, h.failed_logins, h.accepted_logins, h.failed_names"
    " FROM client c JOIN sensor s ON s.id = c.sensor CROSS JOIN login_hour h"
    " WHERE " STORE_IS_TIME_OF("h.id", "c.id")
    " UNION ALL SELECT s.name, c.ip, "
    HOUR(STORE_ROW_HOUR) ", "
    STORE_ROW_HOUR_COUNT("12") ", " STORE_ROW_HOUR_COUNT("21") ", " STORE_ROW_HOUR_COUNT("30") ", "
    STORE_ROW_HOUR_COUNT("39") ", " STORE_ROW_HOUR_COUNT("48")
    " FROM " STORE_CLIENT_TABLES " WHERE x.hour IS NOT NULL";

static const char coverage_view[] =
    "CREATE VIEW coverage (sensor, run, command, source, begin, end, packets, bytes,"
    " kernel_dropped, interface_dropped, flows_evicted, gaps, one_way_flows, undecodable,"
    " cut_by_snap_length, details, errors, started, duplicate_share, hint) AS SELECT"
    " s.name, r.id, r.command, "
    "(SELECT CASE count(*) WHEN 0 THEN NULL WHEN 1 THEN min(name) ELSE"
    "   count(*) || ' sources: ' || substr(group_concat(name, ' '), 1, 200) END"
    " FROM run_source WHERE run = r.id), "
    TIME("r.begin_us") ", "
    TIME("r.end_us") ", "
    "r.packets, r.bytes, "
    COUNTER("kernel_dropped") ", "
    COUNTER("interface_dropped") ", "
    COUNTER("flows_evicted") ", "
    COUNTER("gaps") ", "
    COUNTER("one_way_flows") ", "
    COUNTER("undecodable") ", "
    CUT ", "
    "(SELECT group_concat(name || '=' || value, ', ') FROM"
    "  (SELECT name, value FROM run_counter WHERE run = r.id AND value > 0 ORDER BY name)), "
    "(SELECT group_concat(error, '; ') FROM run_source WHERE run = r.id), "
    TIME("r.started_us") ", "
    "(SELECT round(d.value * 1.0 / p.value, 4) FROM run_counter d JOIN run_counter p"
    "  ON p.run = d.run AND p.name = 'payload_segments' AND p.value > 0"
    "  WHERE d.run = r.id AND d.name = 'duplicate_packets'), "
    "(SELECT 'raise the snapshot length: ' || value || ' packets on mail ports were cut'"
    "  FROM run_counter WHERE run = r.id AND name = 'snapped' AND value > 0)"
    " FROM run r JOIN sensor s ON s.id = r.sensor";
/* clang-format on */

const struct store_view store_views[STORE_VIEW_COUNT] = {
	{ "inventory", { inventory_view, inventory_view_rest } },
	{ "routers", { routers_view } },
	{ "clients", { clients_view, clients_view_columns, clients_view_rest } },
	{ "days", { days_view } },
	{ "coverage", { coverage_view } },
	{ "logins", { logins_view } },
};
