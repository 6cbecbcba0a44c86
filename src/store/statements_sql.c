/* The statements that are used over and over, prepared once each. */
#include "store/columns.h"
#include "store/store_internal.h"

#include "base/banned.h"

/* clang-format off */
const char *const store_statements_sql[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_DATA_VERSION] = "PRAGMA data_version",
	[STATEMENT_CLIENT_FIND] = "SELECT id FROM client WHERE sensor = ?1 AND ip_key = ?2",
	[STATEMENT_CLIENT_ANY] = "SELECT 1 FROM client WHERE sensor = ?1 LIMIT 1",
	[STATEMENT_CLIENT_LAST] = "SELECT coalesce(max(id), 0) FROM client_state",
	[STATEMENT_CLIENT_READ] =
		"SELECT mac, name, name_us, first_us, last_us, count, marks, cadence, own_findings,"
		" days, hour FROM client_state WHERE id = ?1",
	[STATEMENT_CLIENTS_WRITE] =
		/* In the order of the table, or each value is moved once more. */
		"INSERT INTO client (sensor, ip_key, id, ip) SELECT v2, v3, v1, v4 FROM batch",
	[STATEMENT_STATES_WRITE] =
		"INSERT OR REPLACE INTO client_state (id, mac, name, name_us, first_us, last_us,"
		" count, marks, reason, cadence, cadence_text, interval_us, active_hours, own_findings,"
		" days, hour) SELECT v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14,"
		" v15, v16 FROM batch",
	[STATEMENT_FINDING_LOAD] =
		/* In the order of their numbers, which is that of the table. */
		"SELECT load_finding(f.id, f.story, " STORE_FINDING_OWN_COLUMNS ") FROM finding f"
		" WHERE " STORE_IS_OF_CLIENT("f.id", "?1"),
	[STATEMENT_FINDING_LOAD_MORE] =
		"SELECT m.id, " STORE_FINDING_MORE_COLUMNS " FROM finding_more m"
		" WHERE " STORE_IS_OF_CLIENT("m.id", "?1"),
	/* Takes the place of the row that was there before, without the trigger. */
	[STATEMENT_FINDINGS_WRITE] =
		"INSERT OR REPLACE INTO finding (id, story, count, first_us, last_us, judged,"
		" ended_count) SELECT v1, v2, v3, v4, v5, v6, v7 FROM batch",
	[STATEMENT_FINDINGS_WRITE_MORE] =
		"INSERT OR REPLACE INTO finding_more (id, gap_count, login_count, scsv_count,"
		" fallback_count, dropped_early_count, dropped_early_us, dropped_early_len)"
		" SELECT v1, v2, v3, v4, v5, v6, v7, v8 FROM batch",
	[STATEMENT_KIND_FIND] =
		"SELECT id FROM kind WHERE server = ?1 AND service = ?2 AND way = ?3",
	[STATEMENT_KIND_READ] =
		"SELECT " STORE_FINDING_KEY_COLUMNS " FROM kind k WHERE k.id = ?1",
	[STATEMENT_KIND_INSERT] =
		"INSERT INTO kind (server, service, way, refusal_text, findings)"
		" VALUES (?1, ?2, ?3, ?4, 0)",
	[STATEMENT_KIND_COUNT] = "UPDATE kind SET findings = findings + ?2 WHERE id = ?1",
	[STATEMENT_KIND_REMOVE] = "DELETE FROM kind WHERE id = ?1 AND findings = 0",
	[STATEMENT_STORY_FIND] =
		"SELECT t.id, " STORE_STORY_COLUMNS " FROM story t WHERE t.digest = ?1",
	[STATEMENT_STORY_READ] =
		"SELECT " STORE_STORY_COLUMNS " FROM story t WHERE t.id = ?1",
	[STATEMENT_STORY_INSERT] =
		"INSERT INTO story (digest, server_ip, server_name_source, cipher_suite, ja4,"
		" limited_by, certificate_subject, certificate_not_after_us, offers, suites_all,"
		" suites_any, fallback_from, cipher_suite_text, sslv2_cipher_text, findings)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0)",
	[STATEMENT_STORY_COUNT] = "UPDATE story SET findings = findings + ?2 WHERE id = ?1",
	[STATEMENT_STORY_REMOVE] = "DELETE FROM story WHERE id = ?1 AND findings = 0",
	[STATEMENT_DAYS_ADD] =
		"INSERT INTO day (id, count) SELECT v1, v2 FROM batch WHERE true"
		" ON CONFLICT (id) DO UPDATE SET count = count + excluded.count",
	[STATEMENT_HOURS_ADD] =
		"INSERT INTO login_hour (id, sessions, short_sessions, failed_logins,"
		" accepted_logins, failed_names) SELECT v1, v2, v3, v4, v5, v6 FROM batch"
		" WHERE true"
		" ON CONFLICT (id) DO UPDATE SET sessions = sessions + excluded.sessions,"
		" short_sessions = short_sessions + excluded.short_sessions,"
		" failed_logins = failed_logins + excluded.failed_logins,"
		" accepted_logins = accepted_logins + excluded.accepted_logins,"
		" failed_names = max(failed_names, excluded.failed_names)",
	/* Those that have more than ?1.  Seldom, and trimming costs ten times as much. */
	[STATEMENT_HOURS_MANY] =
		"SELECT v1 FROM batch WHERE ?1 < (SELECT count(*) FROM login_hour"
		" WHERE " STORE_IS_TIME_OF("id", "v1") ")",
	/* ?2: so many stay, ?3: of the newest after the first; of the others the worst. */
	[STATEMENT_HOURS_TRIM] =
		"DELETE FROM login_hour WHERE id IN (SELECT id FROM login_hour"
		" WHERE " STORE_IS_TIME_OF("id", "?1") " AND id < (SELECT id FROM login_hour"
		"  WHERE " STORE_IS_TIME_OF("id", "?1") " ORDER BY id DESC LIMIT 1 OFFSET ?3)"
		" ORDER BY failed_names, failed_logins, short_sessions, id"
		" LIMIT max(0, (SELECT count(*) FROM login_hour"
		"  WHERE " STORE_IS_TIME_OF("id", "?1") ") - ?2))",
	[STATEMENT_RUN_INSERT] =
		"INSERT INTO run (sensor, command, started_us, packets, bytes)"
		" VALUES (?1, ?2, ?3, 0, 0)",
	[STATEMENT_RUN_UPDATE] =
		"UPDATE run SET begin_us = ?2, end_us = ?3, packets = ?4, bytes = ?5 WHERE id = ?1",
	[STATEMENT_COUNTER_SET] =
		"INSERT INTO run_counter (run, name, value) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (run, name) DO UPDATE SET value = excluded.value"
		" WHERE value <> excluded.value",
	[STATEMENT_SOURCE_KNOWN] =
		"SELECT 1 FROM run_source q JOIN run r ON r.id = q.run WHERE q.head_hash = ?1"
		" AND q.packet_count = ?2 AND q.stream_hash = ?3 AND r.sensor = ?4 AND r.id <> ?5"
		" LIMIT 1",
	[STATEMENT_SOURCE_SET] =
		"INSERT OR REPLACE INTO run_source (run, position, name, head_hash, packet_count,"
		" stream_hash, packets, bytes, snapped, skipped, begin_us, end_us, error)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
	/* Of the days with a capture up to ?1 the latest but ?2. */
	[STATEMENT_PRUNE_LIMIT] =
		"SELECT DISTINCT end_us / 86400000000 AS day FROM run r WHERE command = 'capture'"
		" AND end_us <= ?1 AND " STORE_RUN_CAPTURED " ORDER BY day DESC LIMIT 1 OFFSET ?2",
	[STATEMENT_PRUNE_NEXT_CLIENT] =
		/* Copies of what was merged stay: without them it would be counted once more. */
		"SELECT c.id, c.sensor, c.ip_key, x.last_us FROM client c"
		" CROSS JOIN client_state x ON x.id = c.id WHERE (c.sensor, c.ip_key) > (?1, ?2)"
		" AND c.sensor > 0 ORDER BY c.sensor, c.ip_key LIMIT 1",
	[STATEMENT_PRUNE_FINDINGS] =
		"DELETE FROM finding WHERE id IN (SELECT id FROM finding"
		" WHERE " STORE_IS_OF_CLIENT("id", "?1") " AND last_us < ?2 LIMIT ?3)",
	[STATEMENT_PRUNE_DAYS] =
		"DELETE FROM day WHERE id IN (SELECT id FROM day"
		" WHERE " STORE_IS_TIME_OF("id", "?1") " AND " STORE_DAY("id") " < ?2 LIMIT ?3)",
	[STATEMENT_PRUNE_HOURS] =
		"DELETE FROM login_hour WHERE id IN (SELECT id FROM login_hour"
		" WHERE " STORE_IS_TIME_OF("id", "?1") " AND " STORE_HOUR("id") " < ?2 LIMIT ?3)",
	[STATEMENT_PRUNE_CLIENT] =
		"DELETE FROM client WHERE sensor = ?3 AND ip_key = ?4 AND"
		" (SELECT last_us FROM client_state WHERE id = ?1 AND own_findings IS NULL) < ?2 AND NOT EXISTS"
		" (SELECT 1 FROM finding WHERE " STORE_IS_OF_CLIENT("id", "?1") ")",
	[STATEMENT_PRUNE_COUNTERS] =
		"DELETE FROM run_counter WHERE (run, name) IN (SELECT run, c.name FROM run r"
		" JOIN run_counter c ON run = r.id WHERE command = 'capture' AND end_us < ?2 LIMIT ?3)",
	[STATEMENT_PRUNE_SOURCES] =
		"DELETE FROM run_source WHERE (run, position) IN (SELECT run, position FROM run r"
		" JOIN run_source c ON run = r.id WHERE command = 'capture' AND r.end_us < ?2"
		" LIMIT ?3)",
	[STATEMENT_PRUNE_RUNS] =
		"DELETE FROM run WHERE id IN (SELECT id FROM run WHERE command = 'capture' AND"
		" end_us < ?2 LIMIT ?3)",
	[STATEMENT_DAYS_OF] =
		"SELECT " STORE_DAY_COLUMNS " FROM day d WHERE " STORE_IS_TIME_OF("d.id", "?1")
		" UNION ALL SELECT " STORE_LATEST_DAY_COLUMNS
		" FROM client_state x CROSS JOIN json_each(x.days) d WHERE x.id = ?1"
		" ORDER BY 1, 2, 3",
	[STATEMENT_HOURS_OF] =
		"SELECT " STORE_HOUR_COLUMNS " FROM login_hour h WHERE "
		STORE_IS_TIME_OF("h.id", "?1") " UNION ALL SELECT " STORE_LATEST_HOUR_COLUMNS
		" FROM client_state x WHERE x.id = ?1 AND x.hour IS NOT NULL ORDER BY 1",
	[STATEMENT_FORGET_FINDINGS] =
		"DELETE FROM finding WHERE " STORE_IS_OF_CLIENT("id", "?1"),
	[STATEMENT_FORGET_DAYS] = "DELETE FROM day WHERE " STORE_IS_TIME_OF("id", "?1"),
	[STATEMENT_FORGET_HOURS] =
		"DELETE FROM login_hour WHERE " STORE_IS_TIME_OF("id", "?1"),
	[STATEMENT_FORGET_CLIENT] = "DELETE FROM client WHERE sensor = ?1 AND ip_key = ?2",
};
/* clang-format on */
