/* What a side speaks, as far as its first bytes tell. */
#include <string.h>

#include "session/session_internal.h"
#include "tls/names.h"

#include "base/banned.h"

/* Sixteen bytes, as most lines begin: letters, digits and the like, and nothing else. */
static bool
is_plain(const uint8_t *bytes, size_t len)
{
	uint64_t words[2], odd = 0;

	if (len < sizeof(words))
		return false;
	memcpy(words, bytes, sizeof(words));
	/* A high bit, be it there after the subtraction (a control) or the addition (DEL). */
	for (size_t i = 0; i < 2; i++)
		odd |= words[i] | (words[i] - UINT64_C(0x2020202020202020)) |
		       (words[i] + UINT64_C(0x0101010101010101));
	return (odd & UINT64_C(0x8080808080808080)) == 0;
}

/*
 * Lines of a mail protocol begin in ASCII, with the byte order mark of a program's stream, or with
 * what a Telnet client asks for (RFC 854); behind that may be anything: another language, the NUL
 * that ends a line in C, the keys of who corrects it.  Where the capture starts in the middle,
 * ciphertext must not pass for that.
 */
static bool
is_text(struct span bytes, bool begins_late)
{
	static const uint8_t mark[] = { 0xef, 0xbb, 0xbf };

	if (is_plain(bytes.data, bytes.len))
		return true;
	for (size_t i = 0; i < bytes.len && i < 16; i++) {
		uint8_t c = bytes.data[i];
		bool is_mark = i < sizeof(mark) && c == mark[i];

		if (!begins_late && (i >= 4 || bytes.data[0] == MAIL_TELNET || is_mark))
			continue;
		if (c != '\r' && c != '\n' && c != '\t' && (c < 0x20 || c >= 0x7f))
			return false;
	}
	return true;
}

static bool
looks_like_greeting(struct span bytes)
{
	static const char *const greetings[] = { "220", "* ", "+OK", "-ERR", "554", "421" };

	for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++) {
		struct span greeting = span_from_text(greetings[i]);

		if (span_equals(span_first(bytes, greeting.len), greeting))
			return true;
	}
	return false;
}

void
session_keep_head(struct session *s, unsigned dir, struct span bytes)
{
	struct session_side *side = &s->side[dir];
	struct span first = span_first(bytes, sizeof(side->head) - (size_t)s->head_len[dir]);

	if (first.len > 0)
		memcpy(side->head + s->head_len[dir], first.data, first.len);
	s->head_len[dir] = (uint8_t)(s->head_len[dir] + first.len);
}

/* RFC 9110, section 9.3: what web scanners send to every port. */
bool
session_is_http(const struct session *s)
{
	static const char *const methods[] = { "GET ", "HEAD ", "POST ", "PUT ", "OPTIONS ",
		"CONNECT ", "TRACE ", "PRI * HTTP" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct span method = span_from_text(methods[i]);

		for (unsigned dir = 0; dir < 2; dir++) {
			struct span head = span_from(s->side[dir].head, s->head_len[dir]);

			if (span_equals(span_first(head, method.len), method))
				return true;
		}
	}
	return false;
}

static struct service
service_at(const struct session *s, unsigned dir)
{
	return service_set_find(s->options->services, s->conn->port[dir]);
}

/* Who is the client of a mail dialogue that begins with these bytes of `dir`. */
static unsigned
mail_client_dir(const struct session *s, unsigned dir, struct span bytes)
{
	bool service[2] = { service_at(s, 0).protocol != PROTOCOL_NONE,
		service_at(s, 1).protocol != PROTOCOL_NONE };

	if (s->conn->opener >= 0)
		return (unsigned)s->conn->opener;
	if (service[0] != service[1])
		return service[0] ? 1 : 0;
	return looks_like_greeting(bytes) ? 1 - dir : dir;
}

static void
start_mail(struct session *s, unsigned dir, struct span bytes)
{
	enum protocol protocol;

	if (s->mail != NULL)
		return;
	s->mail_client = (int8_t)mail_client_dir(s, dir, bytes);
	protocol = service_at(s, 1u - (unsigned)s->mail_client).protocol;
	if (protocol == PROTOCOL_NONE)
		protocol = service_at(s, (unsigned)s->mail_client).protocol;
	s->mail = session_alloc_mail(s);
	mail_dialogue_init(s->mail, protocol);
	s->mail->name_key = s->options->name_key;
	s->mail->by_port = s->conn->opener >= 0 && !s->conn->mid_start[0] && !s->conn->mid_start[1];
}

/* The other side had received all in front of these bytes, and nothing of them, at its hello. */
static bool
is_answer(const struct session *s, unsigned dir)
{
	const struct evidence_side *peer = &s->side[1 - dir].evidence;

	return peer->hello && peer->hello_mark.peer_offset == s->side[dir].last_mark.offset;
}

enum stage
session_first_stage(struct session *s, unsigned dir, struct span bytes)
{
	uint8_t first = bytes.data[0];
	bool begins_late = (s->conn->mid_start[dir] || s->side[dir].gap) && !is_answer(s, dir);

	if (first >= TLS_RECORD_CHANGE_CIPHER_SPEC && first <= TLS_RECORD_HEARTBEAT) {
		/* In mid-connection a single byte proves nothing. */
		if (begins_late && bytes.len >= TLS_RECORD_HEADER_LEN &&
		    !tls_looks_like_first_record(bytes))
			tls_record_stream_start_lost(&s->side[dir].records);
		return STAGE_TLS;
	}
	/* An SSLv2-format hello of less than 16 KiB; it is the record stream that looks closer. */
	if ((first & 0xc0) == 0x80 && (!begins_late || tls_looks_like_sslv2_hello(bytes)))
		return STAGE_TLS;
	if (s->speaks_mail && is_text(bytes, begins_late)) {
		start_mail(s, dir, bytes);
		if (s->side[dir].gap)
			session_lose_words(s, dir, s->side[dir].last_mark.offset, 0);
		s->side[dir].words = true;
		return STAGE_MAIL;
	}
	if (s->speaks_mail && begins_late) {
		tls_record_stream_start_lost(&s->side[dir].records);
		return STAGE_TLS;
	}
	return STAGE_PREAMBLE;
}

bool
session_is_past_words(const struct session *s, unsigned dir, struct span bytes)
{
	enum mail_side role = dir == (unsigned)s->mail_client ? MAIL_CLIENT : MAIL_SERVER;
	uint8_t first = bytes.data[0];

	if (!mail_dialogue_is_behind_gap(s->mail, role) ||
	    (!s->mail->facts.starttls_granted && s->client != (int8_t)(1 - dir)) ||
	    tls_looks_like_first_record(bytes))
		return false;
	if (first >= TLS_RECORD_CHANGE_CIPHER_SPEC && first <= TLS_RECORD_HEARTBEAT)
		return bytes.len >= TLS_RECORD_HEADER_LEN;
	return !is_text(bytes, true);
}
