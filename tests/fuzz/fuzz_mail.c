/*
 * fuzz_mail - a mail dialogue between two hostile sides.
 *
 * Input: one byte that chooses the protocol and how the pieces are cut; then bytes, of which 0x1e
 * changes the side that speaks and 0x1f is a gap in it.  The dialogue must tell the same whole and
 * in pieces.
 */
#include <stdint.h>
#include <stdlib.h>

#include "mail/dialogue.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { CHANGE_SIDE = 0x1e, GAP = 0x1f };

struct run {
	struct mail_dialogue d;
	size_t taken[2];
	bool tls[2];
};

static void
must(bool fact)
{
	if (!fact)
		abort();
}

static void
feed(struct run *run, enum mail_side side, struct span bytes)
{
	size_t taken;

	if (run->tls[side])
		return;
	taken = mail_dialogue_feed(&run->d, side, bytes);
	must(taken <= bytes.len);
	run->taken[side] += taken;
	run->tls[side] = taken < bytes.len;
}

static bool
is_mark(uint8_t c)
{
	return c == CHANGE_SIDE || c == GAP;
}

static void
run_all(struct run *run, enum protocol protocol, struct span script, size_t piece)
{
	enum mail_side side = MAIL_SERVER;
	size_t i = 0;

	*run = (struct run){ .taken = { 0, 0 } };
	mail_dialogue_init(&run->d, protocol);
	while (i < script.len) {
		size_t n = 0;

		if (script.data[i] == CHANGE_SIDE) {
			side = side == MAIL_SERVER ? MAIL_CLIENT : MAIL_SERVER;
			i++;
			continue;
		}
		if (script.data[i] == GAP) {
			mail_dialogue_gap(&run->d, side, 1);
			i++;
			continue;
		}
		while (n < piece && i + n < script.len && !is_mark(script.data[i + n]))
			n++;
		feed(run, side, span_from(script.data + i, n));
		i += n;
	}
}

static void
compare(const struct run *a, const struct run *b)
{
	const struct mail_facts *f = &a->d.facts, *g = &b->d.facts;

	must(a->taken[0] == b->taken[0] && a->taken[1] == b->taken[1]);
	must(a->tls[0] == b->tls[0] && a->tls[1] == b->tls[1]);
	must(a->d.protocol == b->d.protocol);
	must(f->greeting == g->greeting);
	must(f->starttls_asked == g->starttls_asked && f->starttls_granted == g->starttls_granted &&
	     f->starttls_refused == g->starttls_refused &&
	     f->granted_in_vain == g->granted_in_vain);
	must(f->login == g->login && f->logged_in == g->logged_in);
	must(f->command_count == g->command_count && f->quit == g->quit);
	must(f->garbage == g->garbage);
	must(f->client_name_source == g->client_name_source);
	must(span_equals(span_from(a->d.client_name, f->client_name_len),
	    span_from(b->d.client_name, g->client_name_len)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const enum protocol protocols[] = { PROTOCOL_TLS, PROTOCOL_IMAP, PROTOCOL_POP3,
		PROTOCOL_SMTP };
	enum protocol protocol;
	struct run whole, pieces;
	struct span script;

	if (len == 0)
		return 0;
	protocol = protocols[data[0] & 3];
	script = span_from(data + 1, len - 1);
	run_all(&whole, protocol, script, SIZE_MAX);
	run_all(&pieces, protocol, script, 1);
	compare(&whole, &pieces);
	run_all(&pieces, protocol, script, 2 + (data[0] >> 2));
	compare(&whole, &pieces);
	return 0;
}
