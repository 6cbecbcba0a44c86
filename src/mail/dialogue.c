#include "mail/mail_internal.h"

#include <string.h>

#include "base/banned.h"

/* RFC 8446, appendix B.1: types of TLS records. */
enum {
	RECORD_CHANGE_CIPHER_SPEC = 20,
	RECORD_HANDSHAKE = 22,
	RECORD_APPLICATION_DATA = 23,
};

void
mail_dialogue_init(struct mail_dialogue *d, enum protocol protocol)
{
	memset(d, 0, offsetof(struct mail_dialogue, pending));
	d->protocol = (uint8_t)protocol;
	d->name_key = NULL;
}

void
mail_recount(struct mail_dialogue *d)
{
	if (d->command_seen > 0)
		d->facts.command_count = d->command_seen;
	else
		d->facts.command_count = d->implied || mail_pair_implies_command(d) ? 1 : 0;
}

void
mail_note_command(struct mail_dialogue *d)
{
	if (d->command_seen < UINT16_MAX)
		d->command_seen++;
	mail_recount(d);
}

void
mail_note_garbage(struct mail_dialogue *d, enum mail_side side)
{
	if (!d->readers[side].lost)
		d->facts.garbage = true;
}

static uint8_t *
window_of(struct mail_dialogue *d, enum mail_side side, size_t *size)
{
	*size = side == MAIL_CLIENT ? MAIL_CLIENT_WINDOW : MAIL_SERVER_WINDOW;
	return side == MAIL_CLIENT ? d->client_window : d->server_window;
}

static void
window_add(struct mail_dialogue *d, enum mail_side side, struct span part)
{
	struct mail_reader *r = &d->readers[side];
	size_t size;
	uint8_t *window = window_of(d, side, &size);
	struct span kept = span_first(part, size - r->len);

	if (kept.len < part.len)
		r->cut = true;
	if (kept.len == 0)
		return;
	memcpy(window + r->len, kept.data, kept.len);
	r->len = (uint16_t)(r->len + kept.len);
}

void
mail_keep(struct mail_dialogue *d, struct span text)
{
	struct mail_reader *r = mail_client(d);

	/* The text may stand in the window already. */
	if (text.len > 0)
		memmove(d->client_window, text.data, text.len);
	r->len = (uint16_t)text.len;
}

void
mail_keep_more(struct mail_dialogue *d, struct span text)
{
	window_add(d, MAIL_CLIENT, text);
}

/* A line may have held a password. */
static void
window_wipe(struct mail_dialogue *d, enum mail_side side)
{
	struct mail_reader *r = &d->readers[side];
	size_t size;

	if (r->len > 0)
		explicit_bzero(window_of(d, side, &size), r->len);
	r->len = 0;
	r->cut = false;
	r->literal = MAIL_LITERAL_NONE;
	if (side == MAIL_CLIENT)
		d->id_open = false;
}

void
mail_forget(struct mail_dialogue *d)
{
	window_wipe(d, MAIL_CLIENT);
}

static __attribute__((noinline)) void
recognise(struct mail_dialogue *d, enum mail_side side, struct span line)
{
	if (mail_smtp_recognises(side, line))
		d->protocol = PROTOCOL_SMTP;
	else if (mail_pop3_recognises(side, line))
		d->protocol = PROTOCOL_POP3;
	else if (mail_imap_recognises(side, line))
		d->protocol = PROTOCOL_IMAP;
	d->guessed = d->protocol == PROTOCOL_SMTP;
}

/* Whether the protocol that the port suggests has such a line. */
static bool
is_usual(const struct mail_dialogue *d, enum mail_side side, struct span line)
{
	switch ((enum protocol)d->protocol) {
	case PROTOCOL_SMTP:
		return mail_smtp_has(side, line);
	case PROTOCOL_POP3:
		return mail_pop3_has(side, line);
	case PROTOCOL_IMAP:
		return mail_imap_recognises(side, line);
	case PROTOCOL_NONE:
	case PROTOCOL_TLS:
		break;
	}
	return true;
}

/*
 * Any protocol may be spoken on a port, whatever is usual there.  A line of the server does not end
 * the doubt: a client may take the server for another protocol's, and the client's lines decide.
 */
static __attribute__((noinline)) void
doubt_port(struct mail_dialogue *d, enum mail_side side, struct span line)
{
	if (d->readers[side].lost)
		return;
	if (is_usual(d, side, line)) {
		d->by_port = side == MAIL_SERVER;
		return;
	}
	if (mail_smtp_is_certain(side, line))
		d->protocol = PROTOCOL_SMTP;
	else if (mail_pop3_recognises(side, line))
		d->protocol = PROTOCOL_POP3;
	else if (mail_imap_recognises(side, line))
		d->protocol = PROTOCOL_IMAP;
	else
		return;
	d->by_port = side == MAIL_SERVER;
	mail_pair_clear(d);
}

/* Commands that several protocols have do not tell which one it is. */
static __attribute__((noinline)) void
unknown_line(struct mail_dialogue *d, enum mail_side side, struct span line)
{
	static const struct mail_verb shared[] = {
		{ "AUTH", MAIL_COMMAND_AUTH },
		{ "HELP", MAIL_COMMAND_OTHER },
		{ "NOOP", MAIL_COMMAND_OTHER },
		{ "QUIT", MAIL_COMMAND_QUIT },
		{ "RSET", MAIL_COMMAND_OTHER },
		{ "", MAIL_COMMAND_OTHER },
	};
	const struct mail_verb *verb;
	struct span word;

	if (!mail_read_word(&line, &word))
		return;
	verb = side == MAIL_CLIENT ? mail_find_verb(shared, word) : NULL;
	if (verb == NULL)
		mail_note_garbage(d, side);
	else if (verb->command == MAIL_COMMAND_QUIT)
		d->facts.quit = true;
}

static void
client_line(struct mail_dialogue *d, struct span line)
{
	d->starttls_last = false;
	switch ((enum protocol)d->protocol) {
	case PROTOCOL_SMTP:
		mail_smtp_client_line(d, line);
		break;
	case PROTOCOL_POP3:
		mail_pop3_client_line(d, line);
		break;
	case PROTOCOL_IMAP:
		mail_imap_client_line(d, line);
		break;
	case PROTOCOL_NONE:
	case PROTOCOL_TLS:
		unknown_line(d, MAIL_CLIENT, line);
		break;
	}
}

static void
server_line(struct mail_dialogue *d, struct span line)
{
	switch ((enum protocol)d->protocol) {
	case PROTOCOL_SMTP:
		mail_smtp_server_line(d, line);
		break;
	case PROTOCOL_POP3:
		mail_pop3_server_line(d, line);
		break;
	case PROTOCOL_IMAP:
		mail_imap_server_line(d, line);
		break;
	case PROTOCOL_NONE:
	case PROTOCOL_TLS:
		unknown_line(d, MAIL_SERVER, line);
		break;
	}
}

static void
handle_line(struct mail_dialogue *d, enum mail_side side, struct span line)
{
	if (d->protocol == PROTOCOL_TLS || d->protocol == PROTOCOL_NONE)
		recognise(d, side, line);
	else if (d->by_port)
		doubt_port(d, side, line);
	if (d->guessed)
		d->guessed = !mail_smtp_is_certain(side, line);
	if (side == MAIL_CLIENT)
		client_line(d, line);
	else
		server_line(d, line);
}

/* `text`: without its end, and as much of it as the window holds. */
static inline void
read_text(struct mail_dialogue *d, enum mail_side side, struct span text)
{
	if (text.len == 0 ||
	    (!mail_begins_with_telnet(d, side, text) && memchr(text.data, 0, text.len) == NULL) ||
	    mail_cut_noise(d, side, &text))
		handle_line(d, side, text);
}

/* What is no whole line, or longer than its window: a piece of one, up to the line's end. */
static __attribute__((noinline)) size_t
read_piece(struct mail_dialogue *d, enum mail_side side, struct span bytes, bool ends)
{
	struct mail_reader *r = &d->readers[side];
	size_t size;
	const uint8_t *window = window_of(d, side, &size);
	struct span text;

	window_add(d, side, bytes);
	mail_literal_track(r, bytes);
	if (bytes.len > 0)
		r->prev_cr = bytes.data[bytes.len - 1] == '\r';
	if (!ends)
		return bytes.len;
	text = span_from(window, r->len);
	if (!r->cut && text.len > 0 && text.data[text.len - 1] == '\r')
		text.len--;
	r->bare_lf = !r->prev_cr;
	read_text(d, side, text);
	if (side == MAIL_CLIENT && d->id_open)
		r->literal = MAIL_LITERAL_NONE;
	else
		window_wipe(d, side);
	r->prev_cr = false;
	return bytes.len + 1;
}

/* A line that is there whole, as nearly all are, is read where it stands. */
static size_t
read_line(struct mail_dialogue *d, enum mail_side side, struct span bytes)
{
	struct mail_reader *r = &d->readers[side];
	const uint8_t *lf = memchr(bytes.data, '\n', bytes.len);
	size_t size = side == MAIL_CLIENT ? MAIL_CLIENT_WINDOW : MAIL_SERVER_WINDOW;
	size_t len = lf != NULL ? (size_t)(lf - bytes.data) : bytes.len;
	struct span text = span_first(bytes, len);

	if (lf == NULL || len > size || r->len > 0 || r->cut || r->prev_cr)
		return read_piece(d, side, text, lf != NULL);
	r->bare_lf = len == 0 || text.data[len - 1] != '\r';
	text.len -= !r->bare_lf;
	if (text.len > 0 && text.data[text.len - 1] == '}')
		mail_literal_track(r, span_first(bytes, len));
	read_text(d, side, text);
	r->literal = MAIL_LITERAL_NONE;
	return len + 1;
}

/* RFC 3207, section 4: DATA behind STARTTLS brings no message, unless that is refused. */
bool
mail_dialogue_begins_message(const struct mail_dialogue *d)
{
	return d->data != MAIL_DATA_NONE && !d->starttls_due;
}

bool
mail_dialogue_is_behind_gap(const struct mail_dialogue *d, enum mail_side side)
{
	return d->readers[side].after_gap && d->readers[side].mode == MAIL_MODE_LINE;
}

/* Does TLS start at this byte?  RFC 8446, section 5.1: a record begins with its type. */
static bool
starts_tls(const struct mail_dialogue *d, const struct mail_reader *r, uint8_t first)
{
	bool line_start = r->mode == MAIL_MODE_LINE && r->len == 0 && !r->cut && !r->in_command;
	/* The hole may have swallowed the whole handshake. */
	uint8_t last_type = r->after_gap ? RECORD_APPLICATION_DATA : RECORD_HANDSHAKE;

	if (r == &d->readers[MAIL_CLIENT] && mail_dialogue_begins_message(d))
		line_start = false;
	if (!line_start && !r->after_gap)
		return false;
	if (first >= RECORD_CHANGE_CIPHER_SPEC && first <= last_type)
		return true;
	/* RFC 5246, appendix E.2: the V2 hello's length, less than 16 KiB, has its high bit set. */
	return line_start && first >> 6 == 2 && (d->starttls_due || d->facts.starttls_granted);
}

/* Noise may never have an end of line; but no line of a mail protocol begins like it. */
static void
note_first_byte(struct mail_dialogue *d, enum mail_side side, uint8_t c)
{
	const struct mail_reader *r = &d->readers[side];

	if (r->len > 0 || r->in_command || (side == MAIL_CLIENT && d->data != MAIL_DATA_NONE))
		return;
	if (c >= 0x7f || (c < 0x20 && c != '\r' && c != '\n' && c != '\t'))
		mail_note_garbage(d, side);
}

size_t
mail_dialogue_feed(struct mail_dialogue *d, enum mail_side side, struct span bytes)
{
	struct mail_reader *r = &d->readers[side];
	size_t done = 0;

	while (done < bytes.len && r->mode != MAIL_MODE_TLS) {
		struct span rest = span_from(bytes.data + done, bytes.len - done);

		if (starts_tls(d, r, rest.data[0])) {
			window_wipe(d, side);
			r->mode = MAIL_MODE_TLS;
			break;
		}
		r->after_gap = false;
		d->line_offset = d->offset + (uint32_t)done;
		if (r->mode == MAIL_MODE_LINE) {
			note_first_byte(d, side, rest.data[0]);
			done += read_line(d, side, rest);
		} else {
			done += mail_read_content(d, side, rest);
		}
	}
	return done;
}

void
mail_dialogue_gap(struct mail_dialogue *d, enum mail_side side, uint64_t len)
{
	struct mail_reader *r = &d->readers[side];
	/* RFC 9051, section 4.3: without a "+" it may not come. */
	bool doubtful = side == MAIL_CLIENT && d->literal_refusable;

	if (r->mode == MAIL_MODE_TLS || r->mode == MAIL_MODE_OPAQUE)
		return;
	window_wipe(d, side);
	if (r->mode == MAIL_MODE_LITERAL && len <= r->literal_left && !doubtful) {
		mail_pass_literal(d, side, len);
		return;
	}
	r->after_gap = true;
	r->lost = true;
	r->in_command = false;
	r->prev_cr = false;
	d->holed = true;
	if (side == MAIL_SERVER)
		mail_pair_lose(d, d->offset + (uint32_t)len);
	if (side == MAIL_CLIENT) {
		d->auth = MAIL_AUTH_NONE;
		d->login_literal = false;
		if (d->data != MAIL_DATA_NONE)
			mail_begin_dots(r);
		/* 354 is seen before the hole shows in which its DATA was lost. */
		d->data = d->go_ahead ? MAIL_DATA_ASKED : MAIL_DATA_NONE;
		d->go_ahead = false;
	} else {
		d->server_ok = d->server_greets = false;
	}
	/* A message goes on until its dot. */
	if (r->mode == MAIL_MODE_DOT && side == MAIL_CLIENT)
		mail_begin_dots(r);
	else
		r->mode = MAIL_MODE_LINE;
}
