#include "flow_world.h"

#include "base/banned.h"

#define HANDSHAKE "c.S@999 s.SA@4999/1000 c.A@1000/5000 "

static const struct {
	const char *fact, *script, *log;
} scripts[] = {
	{ "both directions", HANDSHAKE "c.A@1000/5000:hi s.A@5000/1002:yo !",
	    "A+c Ac:hi As:yo A.finished" },
	{ "the server speaks first", HANDSHAKE "s.A@5000/1000:yo c.A@1000/5002:hi",
	    "A+c As:yo Ac:hi" },
	{ "without payload there is no connection",
	    HANDSHAKE "c.A@1000/5000 c.FA@1000/5000 s.FA@5000/1001 c.A@1001/5001 !", "" },
	{ "a refused connection is none", "c.S@999 s.RA@0/1000 !", "" },
	{ "two at the same time",
	    "c1.S@1 c2.S@1 c1.A@2/1:one c2.A@2/1:two s1.A@1/5:yes s2.A@1/5:no !",
	    "A+c Ac:one B+c Bc:two As:yes Bs:no A.finished B.finished" },
	{ "segments out of order", HANDSHAKE "c.A@1002/5000:lo c.A@1000/5000:hi",
	    "A+c Ac:hi Ac:lo" },
	{ "a lost segment, and the end", HANDSHAKE "c.A@1000/5000:hi c.A@1004/5000:lo !",
	    "A+c Ac:hi Ac(2) Ac:lo A.finished" },
	{ "a lost segment that was acknowledged",
	    HANDSHAKE "c.A@1000/5000:hi c.A@1004/5000:lo s.A@5000/1006 +4 c.A@1006/5000:xy",
	    "A+c Ac:hi Ac(2) Ac:lo Ac:xy" },
	{ "FINs of both", HANDSHAKE "c.FA@1000/5000:hi s.FA@5000/1003:yo",
	    "A+c Ac:hi Ac| As:yo As|" },
	{ "a FIN behind a hole", HANDSHAKE "c.A@1000/5000:hi c.FA@1004/5000 c.A@1002/5000:lo",
	    "A+c Ac:hi Ac:lo Ac|" },

	/* Beginnings. */
	{ "the SYN is lost", "s.SA@4999/1000 c.A@1000/5000:hi s.A@5000/1002:yo",
	    "A+c Ac:hi As:yo" },
	{ "the SYN is lost, and the first segment late",
	    "s.SA@4999/1000 c.A@1002/5000:lo c.A@1000/5000:hi", "A+c Ac:hi Ac:lo" },
	{ "the SYN/ACK is lost", "c.S@999 c.A@1000/5000:hi s.A@5000/1002:yo", "A+c Ac:hi As:yo" },
	{ "the SYN/ACK is lost, and the server's first segment late",
	    "c.S@999 c.A@1000/5000:hi s.A@5002/1002:yo s.A@5000/1002:oh", "A+c Ac:hi As:oh As:yo" },
	{ "the SYN/ACK is lost, and the server speaks first",
	    "c.S@999 s.A@5000/1000:yo c.A@1000/5002:hi", "A+c As:yo Ac:hi" },
	{ "the middle of a connection", "c.A@1000/5000:hi s.A@5000/1002:yo", "A+? Ac:hi As:yo" },
	{ "the SYN comes late", "c.A@1000/5000:hi c.S@999 s.A@5000/1002:yo", "A+? Ac:hi As:yo" },
	{ "the SYN comes late, and few bytes in front of the first segment later still",
	    "c.A@1107/5000:lo c.S@999 s.SA@4999/1000 c.S@999 c.A@1000/5000:hi s.A@5000/1109:yo",
	    "A+? Ac:lo As:yo" },
	{ "many bytes in front of it are worth more",
	    "c.A@1108/5000:lo c.S@999 s.SA@4999/1000 c.A@1000/5000:hi",
	    "A+? Ac:lo A.reused B+c Bc:hi" },
	{ "where the SYN is known, one in front of it is another connection's",
	    HANDSHAKE "c.A@1000/5000:lo c.S@959 s.SA@4999/960 c.A@960/5000:hi",
	    "A+c Ac:lo A.reused B+c Bc:hi" },
	{ "the SYN/ACK comes late",
	    "c.S@999 c.A@1000/5000:hi s.SA@4999/1000 s.A@5002/1002:yo s.A@5000/1002:oh",
	    "A+c Ac:hi As:oh As:yo" },
	{ "the other direction comes late, SYN and all",
	    "s.SA@4999/1000 s.A@5000/1002:yo c.S@999 c.A@1000/5000:hi", "A+c As:yo Ac:hi" },
	{ "SYN and SYN/ACK come behind the answer, and twice",
	    "s.A@5000/1002:yo c.S@999 c.S@999 s.SA@4999/1000 s.SA@4999/1000 c.A@1000/5000:hi",
	    "A+? As:yo Ac:hi" },
	{ "both open at once",
	    "c.S@999 s.S@4999 c.SA@999/5000 s.SA@4999/1000 s.A@5000/1000:yo c.A@1000/5002:hi",
	    "A+c As:yo Ac:hi" },
	{ "the server answers in two halves",
	    "c.S@999 s.A@4999/1000 s.S@4999 c.SA@999/5000 s.A@5000/1000:yo c.A@1000/5002:hi",
	    "A+c As:yo Ac:hi" },
	{ "data without an acknowledgment, which its receiver drops",
	    HANDSHAKE "c.@1000:no c.F@1000 c.A@1000/5000:hi s.@5000:no s.A@5000/1002:yo",
	    "A+c Ac:hi As:yo" },
	{ "a SYN repeated", "c.S@999 +1 c.S@999 s.SA@4999/1000 c.A@1000/5000:hi c.S@999",
	    "A+c Ac:hi" },
	{ "data in the SYN", "c.S@999:hi s.SA@4999/1002 c.A@1002/5000:lo s.A@5000/1004:yo",
	    "A+c Ac:hi Ac:lo As:yo" },
	{ "data in the SYN that the server did not take",
	    "c.S@999:hi s.SA@4999/1000 c.A@1000/5000:hi c.A@1002/5000:lo", "A+c Ac:hi Ac:lo" },
	{ "data in a repeated SYN", "c.S@999:hi c.S@999:hi s.SA@4999/1002 c.A@1002/5000:lo",
	    "A+c Ac:hi Ac:lo" },
	{ "data in a SYN that comes behind its answer",
	    "s.SA@4999/1002 s.A@5000/1002:yo c.S@999:hi c.S@999:hi c.A@1002/5002:lo",
	    "A+c As:yo Ac:hi Ac:lo" },
	{ "data in the SYN/ACK", "c.S@999 s.SA@4999/1000:yo c.A@1000/5002:hi", "A+c As:yo Ac:hi" },
	{ "numbers that wrap",
	    "c.S@4294967294 s.SA@4294967295/4294967295 "
	    "c.A@4294967295/0:hi s.A@0/1:yo c.A@1/2:lo",
	    "A+c Ac:hi As:yo Ac:lo" },

	/* Two SYN/ACKs. */
	{ "the client's acknowledgement decides for the first SYN/ACK",
	    "c.S@999 s.SA@4999/1000 s.SA@7999/1000 c.A@1000/5000:hi s.A@5000/1002:yo",
	    "A+c Ac:hi As:yo" },
	{ "or for the second",
	    "c.S@999 s.SA@4999/1000 s.SA@7999/1000 c.A@1000/8000:hi s.A@8000/1002:yo",
	    "A+c Ac:hi As:yo" },
	{ "or for the second with the lower number",
	    "c.S@999 s.SA@4999/1000 s.SA@2999/1000 c.A@1000/3000:hi s.A@3000/1002:yo",
	    "A+c Ac:hi As:yo" },
	{ "the server's number decides",
	    "c.S@999 s.SA@7999/1000 s.SA@4999/1000 s.A@8000/1000:yo c.A@1000/8002:hi",
	    "A+c As:yo Ac:hi" },
	{ "a second SYN/ACK after the client's data",
	    HANDSHAKE "c.A@1000/5000:hi s.SA@7999/1000 s.A@5000/1002:yo", "A+c Ac:hi As:yo" },
	{ "a second SYN/ACK after the server's data",
	    HANDSHAKE "s.A@5000/1000:yo s.SA@7999/1000 s.A@5002/1000:yo", "A+c As:yo As:yo" },
	{ "two SYN/ACKs without a SYN say nothing of the client's number",
	    "s.SA@1000/1000 s.SA@7999/1000 c.A@1002/8000:lo c.A@1000/8000:hi s.A@8000/1004:yo",
	    "A+c Ac:hi Ac:lo As:yo" },

	/* Another connection on the same ports. */
	{ "a SYN with another number",
	    HANDSHAKE "c.A@1000/5000:hi c.S@77000 s.SA@88000/77001 c.A@77001/88001:ho "
		      "s.A@88001/77003:yo",
	    "A+c Ac:hi A.reused B+c Bc:ho Bs:yo" },
	{ "a SYN/ACK with other numbers, the SYN being lost",
	    HANDSHAKE "c.A@1000/5000:hi s.A@5000/1002:yo s.SA@88000/77001 c.A@77001/88001:ho",
	    "A+c Ac:hi As:yo A.reused B+c Bc:ho" },
	{ "the same after a hello that nobody answered",
	    HANDSHAKE "c.A@1000/5000:hi s.SA@88000/77001 c.A@77001/88001:ho",
	    "A+c Ac:hi A.reused B+c Bc:ho" },
	{ "a SYN after the server's half of another connection",
	    "s.A@5000/1002:yo c.S@70999000 s.SA@90004999/70999001 "
	    "c.A@70999001/90005000:hi s.A@90005000/70999003:ho",
	    "A+? As:yo A.reused B+c Bc:hi Bs:ho" },
	{ "the other side is ahead, and its numbers go on from not far behind",
	    HANDSHAKE "c.FA@1000/5000:hi s.FA@5000/1003:yo "
		      "s.SA@25000/21000 s.A@25001/21000:ho c.S@20999 c.A@21000/25003:so",
	    "A+c Ac:hi Ac| As:yo As| A.reused B+c Bs:ho Bc:so" },
	{ "the same after one whose server said nothing",
	    HANDSHAKE "c.FA@1000/5000:hi s.A@5000/1003 "
		      "s.SA@25000/21000 s.A@25001/21000:ho c.S@20999 c.A@21000/25003:so",
	    "A+c Ac:hi Ac| A.reused B+c Bs:ho Bc:so" },
	{ "the same with numbers that the first one's client had reached",
	    HANDSHAKE "c.FA@1000/5000:hi s.FA@5000/1003:yo "
		      "s.SA@25000/1002 s.A@25001/1002:ho c.S@1001 c.A@1002/25003:so",
	    "A+c Ac:hi Ac| As:yo As| A.reused B+c Bs:ho Bc:so" },
	{ "after a settled one", HANDSHAKE "c.A@1000/5000:S c.S@77000 c.A@77001/1:ho",
	    "A+c Ac:S B+c Bc:ho" },
	{ "after one that has ended, without SYN and SYN/ACK",
	    HANDSHAKE "c.FA@1000/5000:S s.FA@5000/1002 c.A@70001000/90005000:hi "
		      "s.A@90005000/70001002:yo",
	    "A+c Ac:S B+? Bc:hi Bs:yo" },
	{ "after one that was reset, the server being first",
	    HANDSHAKE "c.A@1000/5000:hi s.A@5000/1002:S c.R@1002 s.A@90005000/70001002:yo "
		      "c.A@70001000/90005002:ho",
	    "A+c Ac:hi As:S B+? Bs:yo Bc:ho" },
	{ "where one number fits, it is the one that has ended",
	    HANDSHAKE "c.FA@1000/5000:S s.FA@5000/1002 c.A@70001000/5001:hi "
		      "c.A@1002/90005000:hi s.A@90005000/1002:yo",
	    "A+c Ac:S" },
	{ "and where it has not ended",
	    HANDSHAKE "c.FA@1000/5000:S c.A@70001000/90005000:hi s.A@90005000/70001002:yo",
	    "A+c Ac:S" },
	{ "old packets of the first one do not disturb the second",
	    HANDSHAKE "c.A@1000/5000:hi c.S@1077000000 c.A@1000/5000:hi c.A@1077000001/1:ho",
	    "A+c Ac:hi A.reused B+? Bc:hi" },
	{ "SYNs of a connection that never spoke say nothing of the next one",
	    HANDSHAKE "c.A@70001000/90005000:hi s.A@90005000/70001002:yo", "A+? Ac:hi As:yo" },
	{ "not even where the server's number would fit",
	    HANDSHAKE "c.A@70001000/5000:hi s.A@5000/70001002:yo", "A+? Ac:hi As:yo" },
	{ "nor the server's half of them", HANDSHAKE "c.A@1000/90005000:hi s.A@90005000/1002:yo",
	    "A+c Ac:hi As:yo" },

	/* Ends. */
	{ "a reset", HANDSHAKE "c.A@1000/5000:hi s.RA@5000/1002 !", "A+c Ac:hi As! A.finished" },
	{ "a reset without acknowledgement", HANDSHAKE "c.A@1000/5000:hi s.R@5000",
	    "A+c Ac:hi As!" },
	{ "a reset with number zero", HANDSHAKE "c.A@1000/5000:hi s.R@0", "A+c Ac:hi As!" },
	{ "a reset from afar is not of this connection",
	    HANDSHAKE "c.A@1000/5000:hi s.R@50005000 s.R@2147483648", "A+c Ac:hi" },
	{ "a reset of a direction that was silent", "c.A@1000/5000:hi s.R@123456",
	    "A+? Ac:hi As!" },
	{ "what a reset carries is no data",
	    HANDSHAKE "c.A@1000/5000:hi s.RA@5000/1002:because s.A@5000/1002:yo",
	    "A+c Ac:hi As! As:yo" },
	{ "nor opens it a connection", HANDSHAKE "s.RA@5000/1000:because !", "" },
	{ "a reset that answers what is still to come",
	    HANDSHAKE "s.RA@5000/1002 c.A@1000/5000:hi !", "A+c As! Ac:hi A.finished" },
	{ "a reset from afar that is a SYN as well begins no connection",
	    HANDSHAKE "c.A@1000/5000:hi c.SR@50001000 s.SRA@50005000/1002 s.A@5000/1002:yo",
	    "A+c Ac:hi As:yo" },
	{ "a FIN that does, with the SYN still to come as well",
	    "s.SA@4999/1000 s.FA@5000/1002 c.S@999 c.A@1000/5000:hi !",
	    "A+c As| Ac:hi A.finished" },
	{ "a FIN that answers a FIN is not followed",
	    HANDSHAKE "c.FA@1000/5000 s.FA@5000/1001 c.A@1001/5001 !", "" },
	{ "nor one without what it answers in its own window", HANDSHAKE "s.FA@5000/70001000 !",
	    "" },
	{ "nor one without a beginning", "s.FA@5000/1002 !", "" },
	{ "data may come behind a reset that overtook it",
	    HANDSHAKE "c.A@1000/5000:hi c.RA@1004/5000 c.A@1002/5000:lo", "A+c Ac:hi Ac! Ac:lo" },

	/* Settled, lingering, forgotten. */
	{ "a settled connection is not heard of again",
	    HANDSHAKE "c.A@1000/5000:S c.A@1001/5000:more s.A@5000/1001:yo s.FA@5002/1 !",
	    "A+c Ac:S" },
	{ "what was held when it settled is not heard of either",
	    HANDSHAKE "c.A@1001/5000:more c.A@1000/5000:S !", "A+c Ac:S" },
	{ "settled by what the end hands out",
	    HANDSHAKE "c.A@1000/5000:hi c.A@1004/5000:S s.A@5002/1002:yo !",
	    "A+c Ac:hi Ac(2) Ac:S" },
	{ "lingering by what the end hands out",
	    HANDSHAKE "c.A@1000/5000:hi c.A@1004/5000:L s.A@5001/1002:yo !",
	    "A+c Ac:hi Ac(2) Ac:L As(1) As:yo A.finished" },
	{ "settled by what port reuse hands out",
	    HANDSHAKE "c.A@1000/5000:hi c.A@1004/5000:S c.S@77000 c.A@77001/1:ho",
	    "A+c Ac:hi Ac(2) Ac:S B+c Bc:ho" },
	{ "a lingering connection goes on",
	    HANDSHAKE "c.A@1000/5000:L +1 s.A@5000/1001:yo +1 s.A@5002/1001:ho",
	    "A+c Ac:L As:yo As:ho" },
	{ "and ends after two seconds", HANDSHAKE "c.A@1000/5000:L +3 c9.A@1/1 s.A@5000/1001:yo",
	    "A+c Ac:L A.lingered" },
	{ "however busy it is",
	    HANDSHAKE "c.A@1000/5000:L +1 c.A@1001/5000:L +1 c.A@1002/5000:L +1 c.A@1003/5000:L",
	    "A+c Ac:L Ac:L Ac:L A.lingered" },
	{ "late copies of one that lingered open nothing",
	    HANDSHAKE "c.A@1000/5000:L +3 c.A@1000/5000:L s.A@5000/1001:yo +30 c.A@1000/5000:L !",
	    "A+c Ac:L A.lingered" },
	{ "late copies of a closed one open nothing",
	    HANDSHAKE "c.FA@1000/5000:S s.FA@5000/1002 +30 c.FA@1000/5000:S s.FA@5000/1002 "
		      "+50 c.FA@1000/5000:S +50 c.A@1000/5000:S !",
	    "A+c Ac:S" },
	{ "a closed one is forgotten after a minute",
	    HANDSHAKE "c.FA@1000/5000:S s.FA@5000/1002 +61 c.A@1002/5001:hi",
	    "A+c Ac:S B+? Bc:hi" },
	{ "one that lingered a minute after that, however late it is heard of",
	    HANDSHAKE "c.FA@1000/5000:L s.FA@5000/1002 +63 c.A@1002/5001:hi",
	    "A+c Ac:L Ac| As| A.lingered B+? Bc:hi" },
	{ "a reset one too", HANDSHAKE "c.A@1000/5000:S s.RA@5000/1001 +61 c.A@1001/5000:hi",
	    "A+c Ac:S B+? Bc:hi" },
	{ "not so one with a reset from afar",
	    HANDSHAKE "c.A@1000/5000:S s.R@50005000 +61 c.A@1001/5000:hi", "A+c Ac:S" },
	{ "a settled one that is open is not",
	    HANDSHAKE "c.A@1000/5000:S +61 c.A@1001/5000:hi +1800 "
		      "c.A@1003/5000:ho",
	    "A+c Ac:S" },
	{ "but after 35 minutes of silence", HANDSHAKE "c.A@1000/5000:S +2101 c.A@1001/5000:hi",
	    "A+c Ac:S B+? Bc:hi" },
	{ "an unsettled one after ten", HANDSHAKE "c.A@1000/5000:hi +601 c9.A@1/1 c.A@1002/5000:lo",
	    "A+c Ac:hi A.idle B+? Bc:lo" },
	{ "but one that both sides spoke in is remembered",
	    HANDSHAKE "c.A@1000/5000:H +601 c9.A@1/1 c.A@1001/5000:lo !", "A+c Ac:H A.idle" },
	{ "an unsettled one that speaks now and then stays",
	    HANDSHAKE "c.A@1000/5000:hi +599 s.A@5000/1002 +599 c.A@1002/5000:lo",
	    "A+c Ac:hi Ac:lo" },

	/* Probes. */
	{ "a keep-alive probe is no data",
	    HANDSHAKE "c.A@1000/5000:hi c.A@1001/5000:. s.A@5000/1002:yo c.A@1002/5002:lo",
	    "A+c Ac:hi As:yo Ac:lo" },
	{ "a keep-alive probe in the middle of a connection is no beginning",
	    "c.A@999/5000:. s.A@5000/1000:yo c.A@1000/5002:hi", "A+? As:yo Ac:hi" },
	{ "zero bytes give way to data",
	    HANDSHAKE "c.A@1000/5000:...... c.A@1000/5000:hi c.A@1002/5000:lo", "A+c Ac:hi Ac:lo" },
	{ "also where the mirror is late with both",
	    HANDSHAKE "s.A@5000/1004:yo c.A@1000/5000:... c.A@1000/5000:hihi",
	    "A+c As:yo Ac:hihi" },
	{ "also where an acknowledgment of more is captured between them",
	    HANDSHAKE "c.A@1000/5000:.. s.A@5000/1004:yo c.A@1000/5000:hihi", "A+c As:yo Ac:hihi" },
	{ "zero bytes that are all that was acknowledged are data",
	    HANDSHAKE "c.A@1000/5000:.. s.A@5000/1002:yo", "A+c Ac:.. As:yo" },
	{ "late ones that something continues are data",
	    HANDSHAKE "s.A@5000/1004:yo c.A@1000/5000:.. c.A@1002/5000:lo",
	    "A+c As:yo Ac:.. Ac:lo" },
};

static void
run_variant(int row, unsigned version, bool client_is_lower)
{
	struct world *w = world_new_default();

	w->version = version;
	w->client_is_lower = client_is_lower;
	world_run(w, scripts[row].script);
	ck_assert_msg(strcmp(w->log, scripts[row].log) == 0, "%s (IPv%u, client %s): \"%s\"",
	    scripts[row].fact, version, client_is_lower ? "lower" : "higher", w->log);
	world_free(w);
}

START_TEST(a_script_gives_this_log_whatever_the_addresses)
{
	run_variant(_i, 4, true);
	run_variant(_i, 4, false);
	run_variant(_i, 6, true);
	run_variant(_i, 6, false);
}
END_TEST

START_TEST(ports_alone_tell_the_directions_on_one_machine)
{
	struct world *w = world_new_default();
	struct packet p = world_packet(w, true, 0);

	p.dst = p.src;
	p.flags = TCP_ACK;
	world_add(w, &p, BYTES("hi"));
	p = world_packet(w, false, 0);
	p.dst = p.src = world_packet(w, true, 0).src;
	p.flags = TCP_ACK;
	world_add(w, &p, BYTES("yo"));
	ck_assert_str_eq(w->log, "A+? Ac:hi As:yo");
	world_free(w);
}
END_TEST

START_TEST(a_connection_with_itself_is_survived)
{
	struct world *w = world_new_default();
	uint32_t state = 7;

	w->quiet = true;
	for (unsigned i = 0; i < 300; i++) {
		struct packet p = world_packet(w, true, 0);

		p.dst = p.src;
		p.dst_port = p.src_port;
		p.flags = (uint8_t)((i * 7919) & (TCP_ACK | TCP_SYN | TCP_FIN | TCP_RST));
		p.seq = (state = state * 1103515245 + 12345) >> 24;
		p.ack = p.seq;
		world_add(w, &p, BYTES("hi"));
		ck_assert_uint_le(flow_table_count(w->table), 1);
	}
	world_free(w);
}
END_TEST

START_TEST(a_connection_is_described_by_its_packets)
{
	static const uint8_t client_mac[] = { 2, 0, 0, 0, 0, 1 },
			     server_mac[] = { 2, 0, 0, 0, 0, 2 };
	struct world *w = world_new_default();
	const struct connection *conn;
	struct packet p;
	unsigned client;

	w->client_is_lower = _i == 0;
	p = world_packet(w, true, 0);
	p.flags = TCP_ACK;
	p.seq = 1000;
	p.src_mac = client_mac;
	p.dst_mac = server_mac;
	p.vlan = 4095;
	p.source = 3;
	world_add(w, &p, BYTES("hi"));
	conn = flow_connection(w->last);
	client = conn->port[0] == WORLD_SERVER_PORT ? 1 : 0;
	ck_assert_uint_eq(client, w->client_is_lower ? 0 : 1);
	ck_assert(addr_equals(&conn->addr[client], &p.src));
	ck_assert(addr_equals(&conn->addr[1 - client], &p.dst));
	ck_assert_uint_eq(conn->port[client], WORLD_CLIENT_PORT);
	ck_assert_uint_eq(conn->port[1 - client], WORLD_SERVER_PORT);
	ck_assert(conn->mac_dirs == 3);
	ck_assert_mem_eq(conn->mac[client], client_mac, 6);
	ck_assert_mem_eq(conn->mac[1 - client], server_mac, 6);
	ck_assert_int_eq(conn->vlan[client], 4095);
	ck_assert_int_eq(connection_vlan(conn, 1 - client), 4095);
	ck_assert_uint_eq(conn->source, 3);
	ck_assert(conn->seen[client] && !conn->seen[1 - client]);
	ck_assert(conn->mid_start[client] && conn->mid_start[1 - client]);
	ck_assert_int_eq(conn->opener, CONNECTION_NO_DIR);
	/* What comes late adds to it. */
	world_run(w, "c.S@999");
	ck_assert_int_eq(conn->opener, (int)client);
	ck_assert(!conn->mid_start[client] && conn->mid_start[1 - client]);
	ck_assert(!conn->seen[1 - client]);
	world_run(w, "s.SA@4999/1000");
	ck_assert(!conn->mid_start[client] && !conn->mid_start[1 - client]);
	ck_assert(conn->seen[1 - client]);
	world_free(w);
}
END_TEST

/* Both sides of a router are mirrored, and the server speaks first. */
START_TEST(what_a_side_says_of_its_link_outranks_what_the_other_says)
{
	static const uint8_t client_mac[] = { 2, 0, 0, 0, 0, 1 },
			     server_mac[] = { 2, 0, 0, 0, 0, 2 },
			     router_mac[] = { 2, 0, 0, 0, 0, 3 };
	struct world *w = world_new_default();
	const struct connection *conn;
	struct packet p;
	unsigned client;

	w->client_is_lower = _i == 0;
	p = world_packet(w, false, 0);
	p.flags = TCP_ACK;
	p.seq = 5000;
	p.ack = 1000;
	p.src_mac = server_mac;
	p.dst_mac = router_mac;
	p.vlan = 20;
	world_add(w, &p, BYTES("banner"));
	conn = flow_connection(w->last);
	client = conn->port[0] == WORLD_SERVER_PORT ? 1 : 0;
	ck_assert_mem_eq(conn->mac[client], router_mac, 6);
	ck_assert_int_eq(connection_vlan(conn, client), 20);
	p.src_mac = router_mac; /* the same, on its way to the client */
	p.dst_mac = client_mac;
	p.vlan = 10;
	world_add(w, &p, BYTES("banner"));
	p = world_packet(w, true, 0);
	p.flags = TCP_ACK;
	p.seq = 1000;
	p.ack = 5006;
	p.src_mac = client_mac;
	p.dst_mac = router_mac;
	p.vlan = 10;
	world_add(w, &p, BYTES(""));
	ck_assert_mem_eq(conn->mac[client], client_mac, 6);
	ck_assert_mem_eq(conn->mac[1 - client], server_mac, 6);
	ck_assert_int_eq(connection_vlan(conn, client), 10);
	ck_assert_int_eq(connection_vlan(conn, 1 - client), 20);
	world_free(w);
}
END_TEST

static const struct {
	const char *script;
	bool client_seen, server_seen, client_mid, server_mid;
} begun[] = {
	{ HANDSHAKE "c.A@1000/5000:hi", true, true, false, false },
	{ "s.SA@4999/1000 c.A@1000/5000:hi", true, true, false, false },
	{ "c.S@999 c.A@1000/5000:hi", true, false, false, true },
	{ "c.S@999 s.A@5000/1000:yo", true, true, false, true },
	{ "s.SA@4999/1000 s.A@5000/1000:yo", false, true, false, false },
	{ "s.A@5000/1000:yo", false, true, true, true },
	{ "c.A@1000/5000:hi s.A@5000/1002", true, true, true, true },
	{ "c.A@1000/5000:hi s.SA@4999/1000", true, true, true, false },
	{ "c.A@1033/5000:hi c.S@999", true, false, true, true },
};

START_TEST(what_was_seen_of_the_beginning_is_known)
{
	struct world *w = world_new_default();
	const struct connection *conn;
	bool one_way = !begun[_i].client_seen || !begun[_i].server_seen;
	unsigned client;

	world_run(w, begun[_i].script);
	conn = flow_connection(w->last);
	client = conn->port[0] == WORLD_SERVER_PORT ? 1 : 0;
	ck_assert_int_eq(conn->seen[client], begun[_i].client_seen);
	ck_assert_int_eq(conn->seen[1 - client], begun[_i].server_seen);
	ck_assert_int_eq(conn->mid_start[client], begun[_i].client_mid);
	ck_assert_int_eq(conn->mid_start[1 - client], begun[_i].server_mid);
	world_finish(w);
	ck_assert_uint_eq(flow_table_counters(w->table)->one_way, one_way ? 1 : 0);
	world_free(w);
}
END_TEST

START_TEST(beginnings_are_counted)
{
	struct world *w = world_new_default();
	const struct flow_counters *c = flow_table_counters(w->table);

	world_run(w, "c1.S@1 c1.S@1 s1.SA@5/2 c1.A@2/6"); /* nothing said */
	world_run(w, "c2.S@1 s2.SA@5/2 c2.A@2/6:hi");     /* whole */
	world_run(w, "s3.SA@5/2 c3.A@2/6:hi");            /* SYN lost */
	world_run(w, "c4.A@2/6:hi c4.S@1");               /* SYN late */
	world_run(w, "c5.S@1:hi");                        /* Fast Open */
	world_run(w, "c6.SR@1 c2.SR@9");                  /* no beginning */
	ck_assert_uint_eq(c->flows, 4);
	ck_assert_uint_eq(c->syn, 3);
	ck_assert_uint_eq(c->syn_with_payload, 2);
	ck_assert_uint_eq(c->mid_start, 1);
	ck_assert_uint_eq(c->payload_segments, 4);
	/* Ended, and opened again by what it says later: its SYN is not counted twice. */
	world_run(w, "+700 c9.A@1/1 c2.A@4/6:lo c5.A@4/1:lo");
	ck_assert_uint_eq(c->syn_with_payload, 2);
	ck_assert_uint_eq(c->mid_start, 3);
	world_free(w);
}
END_TEST

static const struct {
	const char *fact, *script;
	int64_t peer_offset;
} acknowledged[] = {
	{ "both sides are known", "c.S@999 s.SA@4999/1000 c.A@1000/5000:hi", 0 },
	{ "what was captured counts", "c.S@999 s.SA@4999/1000 s.A@5000/1000:yo c.A@1000/5002:hi",
	    2 },
	{ "the other side comes later: from what was waited for first",
	    "c.S@999 c.A@1000/5000:hi c.A@1002/5700:lo", 700 },
	{ "what lies before it is below zero", "c.A@1000/5000:hi c.A@1002/4999:lo", -1 },
	{ "what lies far before it is of another connection",
	    "c.A@1000/5000000:hi c.A@1002/4999:lo", MARK_NO_PEER },
	{ "data in a SYN that comes behind its answer change no number",
	    "s.SA@4999/1002 s.A@5000/1002:yo c.S@999:hi s.A@5002/1002:ho", 0 },
};

START_TEST(a_mark_tells_what_its_sender_had_received)
{
	struct world *w = world_new_default();

	world_run(w, acknowledged[_i].script);
	ck_assert_msg(w->peer_offset == acknowledged[_i].peer_offset, "%s: %lld",
	    acknowledged[_i].fact, (long long)w->peer_offset);
	world_free(w);
}
END_TEST

START_TEST(payload_that_was_acknowledged_too_early_is_counted)
{
	struct world *w = world_new_default();

	world_run(w, HANDSHAKE "c.A@1000/5000:hi s.A@5000/1004 c.A@1002/5000:lo c.A@1004/5000:xy");
	ck_assert_str_eq(w->log, "A+c Ac:hi Ac:lo Ac:xy");
	ck_assert_uint_eq(flow_table_counters(w->table)->ack_before_data, 1);
	world_free(w);
}
END_TEST

START_TEST(a_path_that_joins_another_connection_is_told_and_counted)
{
	struct world *w = world_new_default();
	const struct flow_counters *c = flow_table_counters(w->table);
	struct packet p = world_packet(w, true, 1);

	p.flags = TCP_SYN;
	p.seq = 999;
	p.joins = true;
	world_add(w, &p, BYTES(""));
	world_run(w, "s1.SA@4999/1000 c1.A@1000/5000:hi");
	ck_assert(flow_connection(w->last)->joins);
	world_run(w, "c2.S@999 s2.SA@4999/1000 c2.A@1000/5000:hi");
	ck_assert(!flow_connection(w->last)->joins);
	ck_assert_uint_eq(c->flows, 2);
	ck_assert_uint_eq(c->joined, 1);
	world_free(w);
}
END_TEST

START_TEST(a_flood_of_syns_costs_no_memory)
{
	struct world *w = world_new_default();

	for (unsigned i = 0; i < 100000; i++) {
		struct packet p = world_packet(w, true, i % 10000);

		p.flags = TCP_SYN;
		p.seq = i;
		p.src.bytes[3] = (uint8_t)(i >> 8);
		flow_table_add(w->table, &p);
	}
	ck_assert_uint_eq(flow_table_count(w->table), 0);
	ck_assert_uint_eq(flow_table_counters(w->table)->syn, 100000);
	world_free(w);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_script_gives_this_log_whatever_the_addresses, 0, ROWS(scripts));
	tcase_add_test(tc, ports_alone_tell_the_directions_on_one_machine);
	tcase_add_test(tc, a_connection_with_itself_is_survived);
	tcase_add_loop_test(tc, a_connection_is_described_by_its_packets, 0, 2);
	tcase_add_loop_test(tc, what_a_side_says_of_its_link_outranks_what_the_other_says, 0, 2);
	tcase_add_loop_test(tc, what_was_seen_of_the_beginning_is_known, 0, ROWS(begun));
	tcase_add_test(tc, beginnings_are_counted);
	tcase_add_loop_test(tc, a_mark_tells_what_its_sender_had_received, 0, ROWS(acknowledged));
	tcase_add_test(tc, payload_that_was_acknowledged_too_early_is_counted);
	tcase_add_test(tc, a_path_that_joins_another_connection_is_told_and_counted);
	tcase_add_test(tc, a_flood_of_syns_costs_no_memory);
}

SUITE_MAIN("flow_flow_table")
