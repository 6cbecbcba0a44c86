/* The views that people read: SPEC section 5.  Described in the README; columns are only added. */
#include "store/store_internal.h"

#include "base/banned.h"

/*
 * Plain sqlite3 knows no functions of ours, so numbers become names by CASE.  The numbers are those
 * of event/event.h, base/service.h, tls/names.h and policy/verdict.h.
 */
/* clang-format off */
#define TIME(us) \
	"CASE WHEN " us " IS NOT NULL THEN strftime('%Y-%m-%dT%H:%M:%S', " us " / 1000000, 'unixepoch')" \
	" || printf('.%06dZ', " us " % 1000000) END"
#define VERSION(v) \
	"CASE " v " WHEN 2 THEN 'SSLv2' WHEN 768 THEN 'SSLv3' WHEN 769 THEN 'TLSv1.0'" \
	" WHEN 770 THEN 'TLSv1.1' WHEN 771 THEN 'TLSv1.2' WHEN 772 THEN 'TLSv1.3' END"
#define VERDICT(v) \
	"CASE " v " WHEN 0 THEN 'broken' WHEN 1 THEN 'will-break' WHEN 2 THEN 'legacy'" \
	" WHEN 3 THEN 'server-limited' WHEN 4 THEN 'cleartext' WHEN 5 THEN 'unclear' WHEN 6 THEN 'ok' END"
#define OUTCOME(v) \
	"CASE " v " WHEN 0 THEN 'established' WHEN 1 THEN 'negotiated' WHEN 2 THEN 'refused'" \
	" WHEN 3 THEN 'unanswered' WHEN 4 THEN 'cleartext' END"
#define PROTOCOL(v) \
	"CASE " v " WHEN 1 THEN 'TLS' WHEN 2 THEN 'IMAP' WHEN 3 THEN 'POP3' WHEN 4 THEN 'SMTP' END"
#define MODE(v) "CASE " v " WHEN 0 THEN 'none' WHEN 1 THEN 'implicit' WHEN 2 THEN 'starttls' END"
#define SIDE(v) "CASE " v " WHEN 1 THEN 'client' WHEN 2 THEN 'server' END"
#define NAME_SOURCE(v) \
	"CASE " v " WHEN 1 THEN 'sni' WHEN 2 THEN 'dns' WHEN 3 THEN 'certificate'" \
	" WHEN 4 THEN 'range' WHEN 5 THEN 'ehlo' WHEN 6 THEN 'imap-id' END"
#define MAC(m) \
	"CASE WHEN " m " IS NOT NULL THEN lower(substr(hex(" m "), 1, 2) || ':' || substr(hex(" m "), 3, 2)" \
	" || ':' || substr(hex(" m "), 5, 2) || ':' || substr(hex(" m "), 7, 2)" \
	" || ':' || substr(hex(" m "), 9, 2) || ':' || substr(hex(" m "), 11, 2)) END"
#define COUNTER(name) "(SELECT value FROM run_counter WHERE run = r.id AND name = '" name "')"
#define NEGOTIATED(which) \
	"(SELECT " which "(tls_version) FROM finding WHERE client = c.id AND tls_version > 0)"

static const char drop_sql[] =
	"DROP VIEW IF EXISTS inventory; DROP VIEW IF EXISTS clients;"
	"DROP VIEW IF EXISTS days; DROP VIEW IF EXISTS coverage;";

static const char inventory_sql[] =
	"CREATE VIEW inventory AS SELECT"
	" s.name AS sensor,"
	" c.ip AS client, "
	PROTOCOL("f.protocol") " AS protocol, "
	MODE("f.tls_mode") " AS tls_mode,"
	" f.server, f.server_ip, f.server_port, "
	VERSION("f.tls_version") " AS tls_version, "
	VERSION("f.offered_version") " AS offered_version, "
	OUTCOME("f.outcome") " AS outcome, "
	SIDE("f.refused_by") " AS refused_by,"
	" f.refusal_text AS refusal, "
	SIDE("f.limited_by") " AS limited_by,"
	" f.count, "
	TIME("f.first_us") " AS first_seen, "
	TIME("f.last_us") " AS last_seen,"
	" f.cipher_suite_text AS cipher_suite, f.ja4, "
	VERDICT("f.verdict") " AS verdict, "
	NAME_SOURCE("f.server_name_source") " AS server_name_source,"
	" f.certificate_subject, "
	TIME("f.certificate_not_after_us") " AS certificate_not_after,"
	" f.gap_count AS with_capture_gap, f.login_count AS cleartext_logins"
	" FROM finding f JOIN client c ON c.id = f.client JOIN sensor s ON s.id = c.sensor";

static const char clients_sql[] =
	"CREATE VIEW clients AS SELECT"
	" s.name AS sensor,"
	" c.ip AS client,"
	" c.name AS client_name, "
	NAME_SOURCE("c.name_source") " AS client_name_source, "
	MAC("c.mac") " AS client_mac, "
	VERSION(NEGOTIATED("min")) " AS worst_version, "
	VERSION(NEGOTIATED("max")) " AS best_version, "
	VERDICT("c.verdict") " AS verdict,"
	" c.reason, "
	TIME("c.first_us") " AS first_seen, "
	TIME("c.last_us") " AS last_seen,"
	" c.count"
	" FROM client c JOIN sensor s ON s.id = c.sensor";

static const char days_sql[] =
	"CREATE VIEW days AS SELECT"
	" s.name AS sensor,"
	" c.ip AS client,"
	" date(d.day * 86400, 'unixepoch') AS day, "
	VERSION("d.tls_version") " AS tls_version, "
	OUTCOME("d.outcome") " AS outcome,"
	" d.count"
	" FROM day d JOIN client c ON c.id = d.client JOIN sensor s ON s.id = c.sensor";

static const char coverage_sql[] =
	"CREATE VIEW coverage AS SELECT"
	" s.name AS sensor,"
	" r.id AS run,"
	" r.command,"
	" (SELECT CASE count(*) WHEN 0 THEN NULL WHEN 1 THEN min(name)"
	"   ELSE count(*) || ' sources: ' || substr(group_concat(name, ' '), 1, 200) END"
	"  FROM run_source WHERE run = r.id) AS source, "
	TIME("r.begin_us") " AS begin, "
	TIME("r.end_us") " AS end,"
	" r.packets, r.bytes, "
	COUNTER("kernel_dropped") " AS kernel_dropped, "
	COUNTER("interface_dropped") " AS interface_dropped, "
	COUNTER("flows_evicted") " AS flows_evicted, "
	COUNTER("gaps") " AS gaps, "
	COUNTER("one_way_flows") " AS one_way_flows, "
	COUNTER("undecodable") " AS undecodable,"
	" (SELECT sum(snapped) FROM run_source WHERE run = r.id) AS cut_by_snap_length,"
	" (SELECT group_concat(name || '=' || value, ', ') FROM"
	"   (SELECT name, value FROM run_counter WHERE run = r.id AND value > 0 ORDER BY name))"
	"  AS details,"
	" (SELECT group_concat(error, '; ') FROM run_source WHERE run = r.id) AS errors, "
	TIME("r.started_us") " AS started"
	" FROM run r JOIN sensor s ON s.id = r.sensor";
/* clang-format on */

const char *const store_views_sql[] = {
	drop_sql,
	inventory_sql,
	clients_sql,
	days_sql,
	coverage_sql,
	NULL,
};
