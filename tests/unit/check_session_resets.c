#include "session/session.h"

#include "suite.h"

#include "session_rows.h"

#include "base/banned.h"

/* RFC 5961, section 3.2: a number that is not the next one's is no reset, says the receiver. */
static void
reset_with_a_wrong_number(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS10));
	s->offset[CLIENT] += 5000;
	resets(s, CLIENT);
	s->offset[CLIENT] -= 5000;
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	resets(s, CLIENT);
}

static void
reset_of_somebody_else(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	resets(s, CLIENT);
	client_flight_12(s);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
}

/* RFC 9293, section 3.4: nothing follows a FIN. */
static void
fin_of_somebody_else(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	closes(s, CLIENT);
	s->offset[CLIENT]--;
	client_flight_12(s);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, SERVER);
}

/* RFC 9293, section 3.10.7.1: its number is the one that the copy acknowledges. */
static void
reset_on_a_late_copy(struct script *s, unsigned side)
{
	const int64_t back = 60;

	s->offset[side] -= back;
	resets(s, side);
	s->acts[s->count - 1].mark.peer_offset = MARK_NO_PEER;
	s->offset[side] += back;
}

static void
refused_then_reset_on_a_late_copy(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, CLIENT);
	closes(s, SERVER);
	reset_on_a_late_copy(s, CLIENT);
}

/* RFC 5246: the record's length tells how long the hello is, of which the rest was cut off. */
static void
cut_hello_refused_then_reset_on_a_late_copy(struct script *s)
{
	put_record(&s->out, TLS_RECORD_HANDSHAKE, BYTES(SAMPLE_OPENSSL_TLS10));
	s->out.len -= 20;
	says(s, CLIENT);
	loses(s, CLIENT, 20);
	alert(s, SERVER, TLS_ALERT_LEVEL_FATAL, TLS_ALERT_PROTOCOL_VERSION);
	closes(s, CLIENT);
	closes(s, SERVER);
	reset_on_a_late_copy(s, CLIENT);
}

static void
reset_that_counts_a_loss_then_one_on_a_late_copy(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	client_flight_12(s);
	s->offset[SERVER] += 242;
	resets(s, SERVER);
	s->offset[SERVER] -= 242;
	reset_on_a_late_copy(s, SERVER);
}

static void
reset_captured_before_what_it_follows(struct script *s)
{
	struct script_act reset;

	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	resets(s, SERVER);
	reset = s->acts[s->count - 1];
	s->acts[s->count - 1] = s->acts[s->count - 2];
	s->acts[s->count - 2] = reset;
}

/* The FIN is the last of the client's bytes, so none is missing in front of that reset. */
static void
wrong_reset_then_close(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS10));
	s->offset[CLIENT] += 5000;
	resets(s, CLIENT);
	s->offset[CLIENT] -= 5000;
	closes(s, SERVER);
	closes(s, CLIENT);
}

/*
 * The client's alert did not even reach the server, which says what it waits for: RFC 9293, section
 * 3.10.7.1, takes the number of the second reset from that.
 */
static void
alert_lost_and_a_reset_challenged(struct script *s)
{
	hello(s, BYTES(SAMPLE_OPENSSL_TLS12));
	server_flight_12(s, TLS_VERSION_1_2);
	s->offset[CLIENT] += 7;
	resets(s, CLIENT);
	resets(s, CLIENT);
	s->acts[s->count - 1].mark.offset -= 7;
	s->acts[s->count - 1].mark.peer_offset = MARK_NO_PEER;
}

/* protocol, mode, negotiated, offered, outcome, refused by, refusal, limited by */
static const struct row rows[] = {
	{ "alert lost, and a reset challenged", 993, alert_lost_and_a_reset_challenged,
	    "IMAP implicit TLSv1.2 TLSv1.2 negotiated - - - resumed=no retry=no scsv=no gap" },
	{ "reset with a wrong number", 993, reset_with_a_wrong_number,
	    "IMAP implicit - TLSv1.0 refused server protocol_version - resumed=- retry=- "
	    "scsv=no" },
	{ "reset of somebody else", 993, reset_of_somebody_else,
	    "IMAP implicit TLSv1.2 TLSv1.2 refused server protocol_version - resumed=no retry=no "
	    "scsv=no" },
	{ "FIN of somebody else", 993, fin_of_somebody_else,
	    "IMAP implicit TLSv1.2 TLSv1.2 refused server protocol_version - resumed=no retry=no "
	    "scsv=no" },
	{ "refused, then a reset on a late copy", 993, refused_then_reset_on_a_late_copy,
	    "IMAP implicit - TLSv1.2 refused server protocol_version - resumed=- retry=- "
	    "scsv=no" },
	{ "cut hello refused, then a reset on a late copy", 993,
	    cut_hello_refused_then_reset_on_a_late_copy,
	    "IMAP implicit - TLSv1.0 refused server protocol_version - resumed=- retry=- "
	    "scsv=no gap" },
	{ "reset that counts a loss, then one on a late copy", 993,
	    reset_that_counts_a_loss_then_one_on_a_late_copy,
	    "IMAP implicit TLSv1.2 TLSv1.2 negotiated - - - resumed=no retry=no scsv=no gap" },
	{ "reset captured before what it follows", 993, reset_captured_before_what_it_follows,
	    "IMAP implicit TLSv1.2 TLSv1.2 refused server reset - resumed=no retry=no scsv=no" },
	{ "wrong reset, then close", 993, wrong_reset_then_close,
	    "IMAP implicit - TLSv1.0 refused server close - resumed=- retry=- scsv=no" },
};

ROW_TESTS

static void
add_tests(TCase *tc)
{
	add_row_tests(tc);
}

SUITE_MAIN("session_resets")
