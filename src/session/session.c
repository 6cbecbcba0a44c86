#include "session/session.h"

#include "session/session_internal.h"
#include "tls/names.h"

#include "base/banned.h"

/* Without any TLS in so many bytes of one direction the connection is none of ours. */
#define MAX_PREAMBLE 65536

/* True where words come before TLS, as lines of a mail protocol. */
static bool
speaks_mail(struct service service)
{
	return service.protocol > PROTOCOL_TLS ||
	       (service.protocol == PROTOCOL_TLS && service.starttls);
}

struct session *
session_new(const struct session_options *options, const struct connection *conn)
{
	struct service a = service_set_find(options->services, conn->port[0]);
	struct service b = service_set_find(options->services, conn->port[1]);
	struct session *s = session_alloc(options->pool, a.starttls || b.starttls);

	s->options = options;
	s->conn = conn;
	s->speaks_mail = speaks_mail(a) || speaks_mail(b);
	s->client = CONNECTION_NO_DIR;
	s->mail_client = CONNECTION_NO_DIR;
	for (unsigned dir = 0; dir < 2; dir++) {
		s->side[dir].records.budget = options->records;
		/* RFC 8684, section 3.3: any part of the other connection's bytes. */
		if (conn->joins)
			s->side[dir].stage = STAGE_GARBAGE;
	}
	return s;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	for (unsigned dir = 0; dir < 2; dir++)
		tls_record_stream_release(&s->side[dir].records);
	session_give_back(s->options->pool, s);
}

enum session_phase
session_phase(const struct session *s)
{
	if (!s->spoke[0] || !s->spoke[1])
		return SESSION_ONE_SIDED;
	return s->client >= 0 ? SESSION_IN_HANDSHAKE : SESSION_ANSWERED;
}

bool
session_has_logged_in(const struct session *s)
{
	return s->client < 0 && s->mail != NULL && s->mail->facts.login && s->mail->facts.logged_in;
}

/*
 * Looks for TLS in another protocol's words.  Returns the index at which it begins, or bytes.len.
 */
static size_t
find_tls(const struct session *s, struct span bytes)
{
	if (s->client >= 0 && tls_looks_like_record(bytes))
		return 0;
	for (size_t i = 0; i + 6 <= bytes.len; i++) {
		struct span rest = span_from(bytes.data + i, bytes.len - i);

		if (rest.data[0] == TLS_RECORD_HANDSHAKE && (i == 0 || rest.len >= 11) &&
		    tls_looks_like_hello(rest))
			return i;
	}
	return bytes.len;
}

static void
add_preamble(struct session *s, struct session_side *side, size_t len)
{
	side->preamble_len += (uint32_t)len;
	s->long_preamble = s->long_preamble || side->preamble_len > 2 * MAX_PREAMBLE;
}

/* Whatever stands in a message's first line is the message. */
static bool
is_in_words(const struct mail_dialogue *d, enum mail_side role)
{
	return mail_dialogue_is_in_line(d, role) &&
	       !(role == MAIL_CLIENT && mail_dialogue_begins_message(d));
}

/*
 * Lines of a mail protocol, as far as is known.  As long as none of them tells which one, and
 * inside a line that has not ended, they may as well be another protocol's words, in which TLS need
 * not begin with a line.
 */
static size_t
feed_mail(struct session *s, unsigned dir, struct span bytes, const struct mark *mark)
{
	enum mail_side role = dir == (unsigned)s->mail_client ? MAIL_CLIENT : MAIL_SERVER;
	bool known = s->mail->protocol > PROTOCOL_TLS;
	bool lines = known && !is_in_words(s->mail, role);
	struct span words = lines ? bytes : span_first(bytes, find_tls(s, bytes));
	size_t n;

	s->mail->offset = (uint32_t)mark->offset;
	s->mail->received = mark->peer_offset != MARK_NO_PEER ? (uint32_t)mark->peer_offset : 0;
	n = mail_dialogue_feed(s->mail, role, words);
	if (!known)
		add_preamble(s, &s->side[dir], n);
	return n;
}

/* Feeds a direction's words; returns how many bytes are consumed, the rest being TLS. */
static size_t
feed_words(struct session *s, unsigned dir, struct span bytes, const struct mark *mark)
{
	struct session_side *side = &s->side[dir];
	size_t n;

	if (side->stage == STAGE_MAIL) {
		n = feed_mail(s, dir, bytes, mark);
	} else {
		n = find_tls(s, bytes);
		add_preamble(s, side, n);
		if (n == bytes.len && side->preamble_len > MAX_PREAMBLE)
			side->stage = STAGE_GARBAGE;
	}
	if (n < bytes.len)
		side->stage = STAGE_TLS;
	return n;
}

/*
 * What looked like the beginning of TLS was none.  On a port of another protocol its words may
 * still lead to TLS, even in this segment.
 */
static void
resume_words(struct session *s, unsigned dir, struct span bytes, const struct mark *mark)
{
	struct session_side *side = &s->side[dir];
	struct session_record_arg arg = { .s = s, .dir = dir };
	struct mark at;
	size_t n;

	side->stage = STAGE_GARBAGE;
	if (s->speaks_mail)
		return;
	tls_record_stream_release(&side->records);
	tls_record_stream_init(&side->records);
	side->stage = STAGE_PREAMBLE;
	n = feed_words(s, dir, bytes, mark);
	at = mark_at(mark, mark->offset + (int64_t)n);
	if (side->stage == STAGE_TLS)
		tls_record_stream_feed(&side->records, span_from(bytes.data + n, bytes.len - n),
		    &at, &session_record_sink, &arg);
}

/* Ciphertext without a hello.  One that comes may have 131,396 bytes: RFC 8446, section 4.1.2. */
static void
count_no_hello(struct session_side *side, struct span bytes)
{
	side->no_hello_len += (uint32_t)bytes.len;
	if (side->no_hello_len > (side->records.hello_pending ? 4u : 1u) * MAX_PREAMBLE)
		side->stage = STAGE_GARBAGE;
}

static void
feed_tls(struct session *s, unsigned dir, struct span bytes, const struct mark *mark)
{
	struct session_side *side = &s->side[dir];
	struct session_record_arg arg = { .s = s, .dir = dir };

	if (!side->tls) {
		side->tls = true;
		side->tls_mark = *mark;
		session_begin_event(s);
	}
	/* What a hello sets, and what is looked at when all is judged: by then it is there. */
	__builtin_prefetch(&s->event.tls_version, 1);
	__builtin_prefetch(&s->event.hello_retry, 1);
	__builtin_prefetch(&s->side[1 - dir].evidence);
	tls_record_stream_feed(&side->records, bytes, mark, &session_record_sink, &arg);
	if (side->records.state == TLS_RECORDS_GARBAGE)
		resume_words(s, dir, bytes, mark);
	if (s->client < 0)
		count_no_hello(side, bytes);
}

/* What lies inside a record; false, and nothing is done, for all else. */
static inline bool
pass_tls(struct session *s, struct session_side *side, struct span bytes)
{
	if (!tls_record_stream_pass(&side->records, bytes))
		return false;
	if (s->client < 0)
		count_no_hello(side, bytes);
	return true;
}

/* Neither direction can bring a handshake any more. */
static bool
is_hopeless(const struct session *s)
{
	if (s->client >= 0)
		return false;
	return s->long_preamble ||
	       (s->side[0].stage == STAGE_GARBAGE && s->side[1].stage == STAGE_GARBAGE);
}

static void
note_acknowledged(struct session_side *side, const struct mark *mark)
{
	int64_t before = side->peer_end_offset;

	/* A choice, as a branch could not be predicted. */
	side->peer_end_offset = mark->peer_offset > before ? mark->peer_offset : before;
}

/*
 * RFC 9293, section 3.10.7.4: nothing follows a reset.  Where the connection goes on, that one came
 * from somebody else, or with a wrong number (RFC 5961, section 3); unless what came behind it is
 * just what lay in front of it, captured late.
 */
static void
doubt_reset(struct session *s, struct session_side *side)
{
	struct evidence_side *evidence = &side->evidence;
	int64_t end = session_end_offset(side);
	/* A hole made it wait until now. */
	bool held = side->last_mark.time_us < evidence->rst_mark.time_us;
	bool fits = evidence->rst_mark.offset == end || (held && evidence->rst_mark.offset > end);

	s->evidence_changed = s->evidence_changed || evidence->rst != fits;
	evidence->rst = fits;
}

/* It goes on, whatever told of its end. */
static __attribute__((noinline, cold)) void
doubt_end(struct session *s, struct session_side *side)
{
	if (side->reset)
		doubt_reset(s, side);
	/* What was acknowledged was a byte that is late, or the FIN was somebody else's. */
	if (side->evidence.fin) {
		side->evidence.fin = side->fin_implied = false;
		s->evidence_changed = true;
	}
}

/* Words, and the TLS that may begin behind them. */
static void
feed_words_and_tls(struct session *s, unsigned dir, struct span bytes, const struct mark *mark)
{
	size_t n = feed_words(s, dir, bytes, mark);
	struct mark at;

	if (n == bytes.len)
		return;
	at = mark_at(mark, mark->offset + (int64_t)n);
	feed_tls(s, dir, span_from(bytes.data + n, bytes.len - n), &at);
}

/* The dialogue is over, and what comes next is in the middle of a record. */
static __attribute__((noinline, cold)) void
begin_lost(struct session_side *side)
{
	side->stage = STAGE_TLS;
	side->evidence.hole = true;
	tls_record_stream_start_lost(&side->records);
}

/* The next bytes, one or more, of what a side says itself; `mark` is theirs. */
static void
feed(struct session *s, unsigned dir, struct span bytes, const struct mark *mark)
{
	struct session_side *side = &s->side[dir];

	if (side->stage == STAGE_MAIL && side->gap && session_is_past_words(s, dir, bytes))
		begin_lost(side);
	switch ((enum stage)side->stage) {
	case STAGE_TLS:
		feed_tls(s, dir, bytes, mark);
		return;
	case STAGE_MAIL:
	case STAGE_PREAMBLE:
		feed_words_and_tls(s, dir, bytes, mark);
		return;
	case STAGE_GARBAGE:
		if (s->client < 0)
			add_preamble(s, side, bytes.len);
		return;
	case STAGE_START:
		return;
	}
}

/* What was taken for a load balancer's header, and is none. */
static __attribute__((noinline, cold)) void
feed_back(struct session *s, unsigned dir, struct span words)
{
	s->side[dir].stage = (uint8_t)session_first_stage(s, dir, words);
	feed(s, dir, words, &s->side[dir].first_mark);
}

/*
 * The beginning of a side: a load balancer's header may stand in front of a client's own words.
 * Returns these.  Where the SYN was not captured, or not yet, half a signature proves nothing.
 */
static inline struct span
read_proxy_header(struct session *s, unsigned dir, struct span bytes)
{
	struct session_side *side = &s->side[dir];
	struct span rest = bytes, words;

	if (side->gap || s->conn->opener == (int8_t)(1 - dir) ||
	    (s->conn->mid_start[dir] && side->proxy_header.len == 0 && !proxy_header_is_at(bytes)))
		return rest;
	words = proxy_header_read(&side->proxy_header, &rest);
	if (words.len > 0)
		feed_back(s, dir, words);
	return rest;
}

/* The first bytes of a side, or what goes on with a load balancer's header. */
static void
feed_start(struct session *s, unsigned dir, struct span bytes, const struct mark *mark)
{
	struct session_side *side = &s->side[dir];
	struct span rest = read_proxy_header(s, dir, bytes);
	struct mark at;

	if (rest.len == 0)
		return;
	if (side->stage == STAGE_START)
		side->stage = (uint8_t)session_first_stage(s, dir, rest);
	if (rest.len == bytes.len) {
		feed(s, dir, rest, mark);
		return;
	}
	at = mark_at(mark, mark->offset + (int64_t)(bytes.len - rest.len));
	feed(s, dir, rest, &at);
}

/* Before the side has come to its TLS. */
static __attribute__((noinline)) void
feed_before_tls(struct session *s, unsigned dir, struct span bytes, const struct mark *mark)
{
	struct session_side *side = &s->side[dir];

	if (!s->spoke[dir]) {
		s->spoke[dir] = true;
		side->first_mark = *mark;
	}
	if (s->head_len[dir] < sizeof(side->head))
		session_keep_head(s, dir, bytes);
	if (s->client == (int8_t)(1 - dir))
		session_note_reply(s, dir, mark);
	if (side->stage == STAGE_START)
		feed_start(s, dir, bytes, mark);
	else if (bytes.len > 0)
		feed(s, dir, bytes, mark);
}

enum session_wish
session_data(struct session *s, unsigned dir, struct span bytes, const struct mark *mark)
{
	struct session_side *side = &s->side[dir];

	side->last_mark = *mark;
	side->last_len = (uint32_t)bytes.len;
	note_acknowledged(side, mark);
	if (side->ended)
		doubt_end(s, side);
	if (side->stage != STAGE_TLS)
		feed_before_tls(s, dir, bytes, mark);
	else if (bytes.len > 0 && !pass_tls(s, side, bytes))
		feed_tls(s, dir, bytes, mark);
	if (is_hopeless(s)) {
		s->options->counters->garbage += !s->conn->joins;
		return SESSION_SETTLED;
	}
	return session_judge(s, mark->time_us);
}

enum session_wish
session_gap(struct session *s, unsigned dir, int64_t len, const struct mark *mark)
{
	struct session_side *side = &s->side[dir];
	struct session_record_arg arg = { .s = s, .dir = dir };

	session_note_hole(side, mark->offset, mark->offset + len);
	switch ((enum stage)side->stage) {
	case STAGE_MAIL:
		session_lose_words(s, dir, mark->offset, len);
		break;
	case STAGE_TLS:
		tls_record_stream_gap(&side->records, len, &session_record_sink, &arg);
		break;
	case STAGE_START: /* what comes next begins in the middle of something */
	case STAGE_PREAMBLE:
	case STAGE_GARBAGE:
		break;
	}
	s->evidence_changed = true;
	if (side->stage == STAGE_TLS && side->records.state == TLS_RECORDS_LOST)
		side->evidence.hole = true;
	return session_judge(s, mark->time_us);
}

enum session_wish
session_fin(struct session *s, unsigned dir, const struct mark *mark)
{
	struct session_side *side = &s->side[dir];
	struct evidence_side *evidence = &side->evidence;

	note_acknowledged(side, mark);
	s->evidence_changed = s->maybe_decisive = true;
	session_imply_fin(s, 1 - dir, mark->peer_offset, mark->time_us);
	if (!evidence->fin || side->fin_implied) {
		evidence->fin = side->ended = true;
		evidence->fin_mark = *mark;
		side->fin_implied = false;
	}
	return session_judge(s, mark->time_us);
}

enum session_wish
session_reset(struct session *s, unsigned dir, const struct mark *mark)
{
	struct session_side *side = &s->side[dir];
	struct evidence_side *evidence = &side->evidence;
	int64_t end = session_said_end(side);

	note_acknowledged(side, mark);
	s->evidence_changed = s->maybe_decisive = true;
	session_imply_fin(s, 1 - dir, mark->peer_offset, mark->time_us);
	/*
	 * One that fits counts before one that may be somebody else's; but the number of one
	 * without ACK is only what the other side waited for.
	 */
	if (!evidence->rst ||
	    (session_lacks_before_reset(side) && mark->offset >= end && mark->offset <= end + 1 &&
		(mark->peer_offset != MARK_NO_PEER ||
		    evidence->rst_mark.peer_offset == MARK_NO_PEER))) {
		evidence->rst = true;
		/*
		 * RFC 9293, section 3.10.7.1: where all is closed, the number is from the packet
		 * that is answered, which may be a late copy of an old one.
		 */
		evidence->rst_mark = mark_at(mark, mark->offset < end ? end : mark->offset);
		side->reset = side->ended = true;
	}
	return session_judge(s, mark->time_us);
}
