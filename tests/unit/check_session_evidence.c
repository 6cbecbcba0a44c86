/* SPEC section 4, rule by rule: what both sides did, and what follows from it. */
#include "session/evidence.h"
#include "tls/names.h"

#include "suite.h"

#include "base/banned.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

#define V10 TLS_VERSION_1_0
#define V12 TLS_VERSION_1_2
#define V13 TLS_VERSION_1_3
#define SSL2 TLS_VERSION_SSL2

/* What a side can do, in the order of a conversation; each act has received all before it. */
enum verb {
	DONE,
	HELLO,   /* ClientHello or ServerHello */
	RETRY,   /* HelloRetryRequest */
	EARLY,   /* the ClientHello offers early data */
	WORDS,   /* bytes that are no TLS */
	GOES_ON, /* ClientKeyExchange and the like */
	CCS,
	FINISHED, /* ciphertext behind the ChangeCipherSpec: 1.2 and below */
	RECORD,   /* `value`: length of a protected record */
	ALERT,    /* `value`: level << 8 | description */
	SEALED_ALERT,
	SSL2_RECORD,
	HOLE, /* bytes that were not captured */
	FIN,
	RST,
	BLIND, /* crosses the act before it: its sender has received nothing since its own last act
		*/
	SAME,  /* the next act is in the same segment as the last one */
};

struct act {
	char side; /* 'c' or 's' */
	uint8_t verb;
	uint16_t value;
};

enum view { BOTH, CLIENT_ONLY, SERVER_ONLY };

struct row {
	const char *name;
	uint16_t version;
	struct act acts[24];
	enum outcome outcome;
	enum event_side refused_by;
	enum refusal_kind refusal;
	uint8_t alert;
	enum view view;
};

#define FATAL(description) (TLS_ALERT_LEVEL_FATAL << 8 | (description))
#define WARNING(description) (TLS_ALERT_LEVEL_WARNING << 8 | (description))
#define CLOSE_NOTIFY WARNING(0)

#define HELLOS                                                                                     \
	{ 'c', HELLO, 0 },                                                                         \
	{                                                                                          \
		's', HELLO, 0                                                                      \
	}
/* The client's whole handshake of 1.2, and the server's. */
#define CLIENT_12                                                                                  \
	{ 'c', GOES_ON, 0 }, { 'c', CCS, 0 },                                                      \
	{                                                                                          \
		'c', FINISHED, 0                                                                   \
	}
#define SERVER_12                                                                                  \
	{ 's', CCS, 0 },                                                                           \
	{                                                                                          \
		's', FINISHED, 0                                                                   \
	}
/* The server's flight of 1.3: EncryptedExtensions to Finished. */
#define FLIGHT_13                                                                                  \
	{ 's', CCS, 0 }, { 's', SAME, 0 }, { 's', RECORD, 23 }, { 's', SAME, 0 },                  \
	    { 's', RECORD, 830 }, { 's', SAME, 0 },                                                \
	{                                                                                          \
		's', RECORD, 69                                                                    \
	}
#define FINISHED_13                                                                                \
	{ 'c', CCS, 0 }, { 'c', SAME, 0 },                                                         \
	{                                                                                          \
		'c', RECORD, 69                                                                    \
	}

#define ESTABLISHED OUTCOME_ESTABLISHED, SIDE_NONE, REFUSAL_NONE, 0, BOTH
#define NEGOTIATED OUTCOME_NEGOTIATED, SIDE_NONE, REFUSAL_NONE, 0, BOTH
#define UNANSWERED OUTCOME_UNANSWERED, SIDE_NONE, REFUSAL_NONE, 0, BOTH
#define REFUSED(by, how, alert) OUTCOME_REFUSED, SIDE_##by, REFUSAL_##how, alert, BOTH

/* clang-format off */
static const struct row rows[] = {
	/* 1.2 and below: ChangeCipherSpec from both, then an encrypted record from both. */
	{ "1.2 finished by both", V12, { HELLOS, CLIENT_12, SERVER_12 }, ESTABLISHED },
	{ "1.2 resumed: the server finishes first", V12, { HELLOS, SERVER_12, CLIENT_12 }, ESTABLISHED },
	{ "1.2 without the server's Finished", V12, { HELLOS, CLIENT_12, { 's', CCS, 0 } }, NEGOTIATED },
	{ "1.2 without the client's Finished", V12, { HELLOS, SERVER_12, { 'c', CCS, 0 } }, NEGOTIATED },
	{ "1.2 without the server's ChangeCipherSpec", V12, { HELLOS, CLIENT_12 }, NEGOTIATED },
	{ "1.2 established, then an alert", V12, { HELLOS, CLIENT_12, SERVER_12, { 'c', SEALED_ALERT, 0 } }, ESTABLISHED },
	{ "1.2 established, then a reset", V12, { HELLOS, CLIENT_12, SERVER_12, { 's', RST, 0 } }, ESTABLISHED },
	{ "1.2 established, then a close", V12, { HELLOS, CLIENT_12, SERVER_12, { 'c', FIN, 0 } }, ESTABLISHED },
	{ "SSLv2 finished by both", SSL2, { HELLOS, { 'c', SSL2_RECORD, 0 }, { 's', SSL2_RECORD, 0 }, { 'c', SSL2_RECORD, 0 }, { 's', SSL2_RECORD, 0 } }, ESTABLISHED },
	{ "SSLv2 without the server's Finished", SSL2, { HELLOS, { 'c', SSL2_RECORD, 0 }, { 's', SSL2_RECORD, 0 }, { 'c', SSL2_RECORD, 0 } }, NEGOTIATED },

	/* 1.3: encrypted records from the client, answered by more from the server. */
	{ "1.3 answered by tickets", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', RECORD, 250 } }, ESTABLISHED },
	{ "1.3 answered by a short record that is no alert", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', RECORD, 21 } }, ESTABLISHED },
	{ "1.3 not answered", V13, { HELLOS, FLIGHT_13, FINISHED_13 }, NEGOTIATED },
	{ "1.3 the client goes on", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RECORD, 40 } }, ESTABLISHED },
	{ "1.3 the client goes on, an alert is the server's next word", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RECORD, 40 }, { 's', RECORD, 19 } }, NEGOTIATED },
	{ "1.3 a certificate in front of Finished is no going on", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 900 }, { 'c', SAME, 0 }, { 'c', RECORD, 69 } }, NEGOTIATED },
	{ "1.3 nor is one in segments of its own", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 900 }, { 'c', RECORD, 286 }, { 'c', RECORD, 69 } }, NEGOTIATED },
	{ "1.3 an empty certificate in a segment of its own is no Finished", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 25 }, { 'c', RECORD, 69 }, { 'c', FIN, 0 } }, NEGOTIATED },
	{ "1.3 the client goes on behind a flight with an empty certificate", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 25 }, { 'c', RECORD, 69 }, { 'c', RECORD, 40 } }, ESTABLISHED },
	{ "1.3 the client goes on behind a flight with a certificate", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 900 }, { 'c', RECORD, 286 }, { 'c', RECORD, 85 }, { 'c', RECORD, 40 } }, ESTABLISHED },
	{ "1.3 the client goes on, and its Finished is not among the latest records any more", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RECORD, 900 }, { 'c', RECORD, 900 }, { 'c', RECORD, 900 }, { 'c', RECORD, 900 }, { 'c', RECORD, 900 }, { 'c', RECORD, 900 }, { 'c', RECORD, 900 }, { 'c', RECORD, 900 } }, ESTABLISHED },
	{ "1.3 shortest Finished, with CCM_8", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 45 }, { 's', RECORD, 50 } }, ESTABLISHED },
	{ "1.3 the server's flight is no answer", V13, { { 'c', HELLO, 0 }, { 's', HELLO, 0 }, FLIGHT_13 }, NEGOTIATED },
	{ "1.3 client closes, server closes in answer", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RECORD, 19 }, { 'c', FIN, 0 }, { 's', RECORD, 19 }, { 's', FIN, 0 } }, ESTABLISHED },
	{ "1.3 client says close_notify only, server answers by one", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RECORD, 19 }, { 's', RECORD, 19 }, { 's', FIN, 0 } }, ESTABLISHED },
	{ "1.3 client closes, server says nothing more", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RECORD, 19 }, { 'c', FIN, 0 }, { 's', FIN, 0 } }, NEGOTIATED },
	{ "1.3 client closes, server resets in answer", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RECORD, 19 }, { 'c', FIN, 0 }, { 's', RST, 0 } }, NEGOTIATED },
	{ "1.3 client's reset crosses the server's alert", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', RECORD, 19 }, { 'c', BLIND, 0 }, { 'c', RST, 0 } }, NEGOTIATED },
	{ "1.3 client resets on a short greeting, as long as JSSE's alert", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', RECORD, 35 }, { 'c', RST, 0 } }, NEGOTIATED },
	{ "1.3 client resets behind its Finished", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RST, 0 } }, NEGOTIATED },
	{ "1.3 empty Certificate with CCM_8 is no alert", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 17 }, { 'c', SAME, 0 }, { 'c', RECORD, 45 }, { 's', RECORD, 200 } }, ESTABLISHED },
	{ "1.3 EndOfEarlyData is no alert", V13, { { 'c', HELLO, 0 }, { 'c', EARLY, 0 }, { 'c', RECORD, 137 }, { 's', HELLO, 0 }, FLIGHT_13, { 'c', RECORD, 21 }, { 'c', RECORD, 69 }, { 's', RECORD, 82 } }, ESTABLISHED },
	{ "1.3 early data is no Finished", V13, { { 'c', HELLO, 0 }, { 'c', EARLY, 0 }, { 'c', RECORD, 137 }, { 's', HELLO, 0 }, FLIGHT_13 }, NEGOTIATED },
	{ "1.3 early data crossing the ServerHello is no Finished", V13, { { 'c', HELLO, 0 }, { 'c', EARLY, 0 }, { 's', HELLO, 0 }, { 'c', BLIND, 0 }, { 'c', RECORD, 137 }, { 's', RECORD, 200 } }, NEGOTIATED },
	{ "1.3 behind a HelloRetryRequest", V13, { { 'c', HELLO, 0 }, { 's', RETRY, 0 }, { 'c', GOES_ON, 0 }, { 's', HELLO, 0 }, FLIGHT_13, FINISHED_13, { 's', RECORD, 250 } }, ESTABLISHED },
	{ "1.3 a HelloRetryRequest and the end of the capture", V13, { { 'c', HELLO, 0 }, { 's', RETRY, 0 } }, NEGOTIATED },

	/* Refusals. */
	{ "server's alert in place of a ServerHello", 0, { { 'c', HELLO, 0 }, { 's', ALERT, FATAL(70) }, { 's', FIN, 0 } }, REFUSED(SERVER, ALERT, 70) },
	{ "alert and reset of one side are one act", 0, { { 'c', HELLO, 0 }, { 's', ALERT, FATAL(40) }, { 's', RST, 0 } }, REFUSED(SERVER, ALERT, 40) },
	{ "server closes on the hello", 0, { { 'c', HELLO, 0 }, { 's', FIN, 0 } }, REFUSED(SERVER, CLOSE, 0) },
	{ "server closes, the client's alert comes second", 0, { { 'c', HELLO, 0 }, { 's', FIN, 0 }, { 'c', ALERT, FATAL(70) }, { 'c', FIN, 0 } }, REFUSED(SERVER, CLOSE, 0) },
	{ "server resets", 0, { { 'c', HELLO, 0 }, { 's', RST, 0 } }, REFUSED(SERVER, RESET, 0) },
	{ "close in front of the reset is a close", 0, { { 'c', HELLO, 0 }, { 's', FIN, 0 }, { 's', RST, 0 } }, REFUSED(SERVER, CLOSE, 0) },
	{ "close_notify before the end is a close", 0, { { 'c', HELLO, 0 }, { 's', ALERT, CLOSE_NOTIFY }, { 's', FIN, 0 } }, REFUSED(SERVER, CLOSE, 0) },
	{ "warning in front of the close names the refusal", 0, { { 'c', HELLO, 0 }, { 's', ALERT, WARNING(112) }, { 's', FIN, 0 } }, REFUSED(SERVER, ALERT, 112) },
	{ "warning alone refuses nothing", V12, { { 'c', HELLO, 0 }, { 's', ALERT, WARNING(112) }, { 's', HELLO, 0 } }, NEGOTIATED },
	{ "fatal alert behind a warning names the refusal", 0, { { 'c', HELLO, 0 }, { 's', ALERT, WARNING(112) }, { 's', ALERT, FATAL(40) }, { 's', FIN, 0 } }, REFUSED(SERVER, ALERT, 40) },
	{ "of two fatal alerts the first counts", 0, { { 'c', HELLO, 0 }, { 's', ALERT, FATAL(40) }, { 's', ALERT, FATAL(80) } }, REFUSED(SERVER, ALERT, 40) },
	{ "server refuses behind the client's warning", V12, { HELLOS, { 'c', ALERT, WARNING(41) }, { 's', ALERT, FATAL(40) }, { 's', FIN, 0 }, { 'c', FIN, 0 } }, REFUSED(SERVER, ALERT, 40) },
	{ "server closes behind the client's warning", 0, { { 'c', HELLO, 0 }, { 'c', ALERT, WARNING(90) }, { 's', FIN, 0 }, { 'c', FIN, 0 } }, REFUSED(SERVER, CLOSE, 0) },
	{ "client closes behind the server's warning, and the server behind it", 0, { { 'c', HELLO, 0 }, { 's', ALERT, WARNING(112) }, { 'c', FIN, 0 }, { 's', FIN, 0 } }, REFUSED(CLIENT, CLOSE, 0) },
	{ "user_canceled gives way to the close_notify behind it", V12, { HELLOS, { 'c', ALERT, WARNING(90) }, { 'c', ALERT, CLOSE_NOTIFY }, { 'c', FIN, 0 } }, REFUSED(CLIENT, CLOSE, 0) },
	{ "alert with a number nobody knows", V12, { HELLOS, { 'c', ALERT, FATAL(250) } }, REFUSED(CLIENT, ALERT, 250) },
	{ "client refuses the certificate", V12, { HELLOS, { 'c', ALERT, FATAL(48) }, { 'c', FIN, 0 } }, REFUSED(CLIENT, ALERT, 48) },
	{ "client refuses, and the server closes behind it", V12, { HELLOS, { 'c', ALERT, FATAL(48) }, { 's', FIN, 0 }, { 'c', FIN, 0 } }, REFUSED(CLIENT, ALERT, 48) },
	{ "client closes after the ServerHello", V12, { HELLOS, { 'c', FIN, 0 }, { 's', FIN, 0 } }, REFUSED(CLIENT, CLOSE, 0) },
	{ "client resets after the ServerHello", V12, { HELLOS, { 'c', RST, 0 } }, REFUSED(CLIENT, RESET, 0) },
	{ "client closes after the HelloRetryRequest", V13, { { 'c', HELLO, 0 }, { 's', RETRY, 0 }, { 'c', FIN, 0 } }, REFUSED(CLIENT, CLOSE, 0) },
	{ "client with early data closes after the HelloRetryRequest", V13, { { 'c', HELLO, 0 }, { 'c', EARLY, 0 }, { 'c', RECORD, 137 }, { 's', RETRY, 0 }, { 'c', FIN, 0 } }, REFUSED(CLIENT, CLOSE, 0) },
	{ "client closes behind its Finished, which the server's crosses", V12, { HELLOS, CLIENT_12, { 'c', FIN, 0 }, { 's', BLIND, 0 }, SERVER_12, { 's', FIN, 0 } }, REFUSED(CLIENT, CLOSE, 0) },
	{ "client closes behind its Finished, the server answers it", V12, { HELLOS, CLIENT_12, { 'c', FIN, 0 }, SERVER_12, { 's', FIN, 0 } }, REFUSED(CLIENT, CLOSE, 0) },
	{ "client resets behind its Finished, which the server's crosses", V12, { HELLOS, CLIENT_12, { 'c', RST, 0 }, { 's', BLIND, 0 }, SERVER_12 }, REFUSED(CLIENT, RESET, 0) },
	{ "server that resumes closes behind its Finished", V12, { HELLOS, SERVER_12, { 's', FIN, 0 }, CLIENT_12 }, REFUSED(SERVER, CLOSE, 0) },
	{ "server closes behind the client's flight", V12, { HELLOS, CLIENT_12, { 's', FIN, 0 } }, REFUSED(SERVER, CLOSE, 0) },
	{ "server's sealed alert behind its ChangeCipherSpec", V12, { HELLOS, CLIENT_12, { 's', CCS, 0 }, { 's', SEALED_ALERT, 0 } }, REFUSED(SERVER, ENCRYPTED_ALERT, 0) },
	{ "client's sealed alert in place of its Finished", V12, { HELLOS, SERVER_12, { 'c', CCS, 0 }, { 'c', SEALED_ALERT, 0 }, { 'c', FIN, 0 } }, REFUSED(CLIENT, ENCRYPTED_ALERT, 0) },
	{ "1.3 client's alert in the clear", V13, { HELLOS, FLIGHT_13, { 'c', CCS, 0 }, { 'c', ALERT, FATAL(48) }, { 'c', FIN, 0 } }, REFUSED(CLIENT, ALERT, 48) },
	{ "1.3 client's protected alert", V13, { HELLOS, FLIGHT_13, { 'c', CCS, 0 }, { 'c', RECORD, 19 }, { 'c', FIN, 0 } }, REFUSED(CLIENT, NONE, 0) },
	{ "1.3 client's protected alert, 24 bytes", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 24 } }, REFUSED(CLIENT, NONE, 0) },
	{ "1.3 client's protected alert, padded as by JSSE", V13, { HELLOS, FLIGHT_13, { 'c', CCS, 0 }, { 'c', RECORD, 35 }, { 'c', FIN, 0 } }, REFUSED(CLIENT, NONE, 0) },
	{ "1.3 25 bytes are more than an alert", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 25 } }, NEGOTIATED },
	{ "1.3 25 bytes answered are more than an alert", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 25 }, { 's', RECORD, 50 } }, ESTABLISHED },
	{ "1.3 client's protected alert, answered by an alert", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 19 }, { 's', RECORD, 19 }, { 's', FIN, 0 } }, REFUSED(CLIENT, NONE, 0) },
	{ "1.3 client's protected alert behind early data", V13, { { 'c', HELLO, 0 }, { 'c', EARLY, 0 }, { 'c', RECORD, 137 }, { 's', HELLO, 0 }, FLIGHT_13, { 'c', RECORD, 19 } }, REFUSED(CLIENT, NONE, 0) },
	{ "1.3 client closes before its Finished", V13, { HELLOS, FLIGHT_13, { 'c', FIN, 0 } }, REFUSED(CLIENT, CLOSE, 0) },
	{ "1.3 server refuses behind the client's Finished", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', RECORD, 19 }, { 's', FIN, 0 }, { 'c', FIN, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 server refuses, with JSSE's padding", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', RECORD, 35 }, { 's', FIN, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 server refuses with CCM_8", V13, { HELLOS, FLIGHT_13, { 'c', RECORD, 17 }, { 'c', SAME, 0 }, { 'c', RECORD, 45 }, { 's', RECORD, 11 }, { 's', FIN, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 server refuses by two alerts", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', RECORD, 19 }, { 's', SAME, 0 }, { 's', RECORD, 19 }, { 's', FIN, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 server refuses, and the client's first data crosses it", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RECORD, 23 }, { 's', RECORD, 19 }, { 's', FIN, 0 }, { 'c', RECORD, 19 }, { 'c', FIN, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 server refuses, and the client resets on it", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RECORD, 40 }, { 's', RECORD, 19 }, { 'c', RST, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 server refuses, and the client closes on it", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', RECORD, 19 }, { 'c', FIN, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 server closes behind the client's Finished", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', FIN, 0 } }, REFUSED(SERVER, CLOSE, 0) },
	{ "1.3 server closes, which the client's Finished and close cross", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', FIN, 0 }, { 's', BLIND, 0 }, { 's', FIN, 0 } }, REFUSED(SERVER, CLOSE, 0) },
	{ "1.3 server resets, which the client's Finished, data and close cross", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RECORD, 40 }, { 'c', FIN, 0 }, { 's', BLIND, 0 }, { 's', RST, 0 } }, REFUSED(SERVER, RESET, 0) },
	{ "1.3 server's protected alert and close, which the client's Finished crosses", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', BLIND, 0 }, { 's', RECORD, 19 }, { 's', BLIND, 0 }, { 's', FIN, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 server's protected alert in mid-flight", V13, { HELLOS, { 's', CCS, 0 }, { 's', RECORD, 27 }, { 's', RECORD, 914 }, { 's', RECORD, 19 }, { 's', FIN, 0 }, { 'c', FIN, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 server's protected alert in place of its flight, and a reset", V13, { HELLOS, { 's', CCS, 0 }, { 's', RECORD, 11 }, { 's', RST, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 client closes on the server's protected alert", V13, { HELLOS, { 's', CCS, 0 }, { 's', RECORD, 19 }, { 'c', FIN, 0 }, { 's', FIN, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 client closes on the server's protected alert, whose own close is not seen", V13, { HELLOS, { 's', CCS, 0 }, { 's', RECORD, 19 }, { 'c', FIN, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 client resets on the server's protected alert in mid-flight", V13, { HELLOS, { 's', CCS, 0 }, { 's', RECORD, 27 }, { 's', RECORD, 19 }, { 'c', RST, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 client says close_notify to the server's protected alert, and closes", V13, { HELLOS, { 's', CCS, 0 }, { 's', RECORD, 27 }, { 's', RECORD, 19 }, { 'c', RECORD, 19 }, { 'c', FIN, 0 } }, REFUSED(SERVER, NONE, 0) },
	{ "1.3 client's reset crosses the server's protected alert in mid-flight", V13, { HELLOS, { 's', CCS, 0 }, { 's', RECORD, 27 }, { 's', RECORD, 19 }, { 'c', BLIND, 0 }, { 'c', RST, 0 } }, NEGOTIATED },
	{ "1.3 client closes, the server's close_notify comes second", V13, { HELLOS, FLIGHT_13, { 'c', FIN, 0 }, { 's', RECORD, 19 }, { 's', FIN, 0 } }, REFUSED(CLIENT, CLOSE, 0) },
	{ "1.3 server closes in mid-flight", V13, { HELLOS, { 's', CCS, 0 }, { 's', RECORD, 23 }, { 's', FIN, 0 }, { 'c', FIN, 0 } }, REFUSED(SERVER, CLOSE, 0) },

	/* Giving up is not refusing. */
	{ "nothing but a hello", 0, { { 'c', HELLO, 0 } }, UNANSWERED },
	{ "client closes after silence", 0, { { 'c', HELLO, 0 }, { 'c', FIN, 0 } }, UNANSWERED },
	{ "client closes after silence, and the server behind it", 0, { { 'c', HELLO, 0 }, { 'c', FIN, 0 }, { 's', FIN, 0 } }, UNANSWERED },
	{ "client closes after silence, and the server resets", 0, { { 'c', HELLO, 0 }, { 'c', FIN, 0 }, { 's', RST, 0 } }, UNANSWERED },
	{ "client with early data closes after silence, and the server behind it", 0, { { 'c', HELLO, 0 }, { 'c', EARLY, 0 }, { 'c', RECORD, 137 }, { 'c', FIN, 0 }, { 's', FIN, 0 } }, UNANSWERED },
	{ "client's warning after silence, and its close", 0, { { 'c', HELLO, 0 }, { 'c', ALERT, WARNING(90) }, { 'c', FIN, 0 } }, UNANSWERED },
	{ "client resets after silence", 0, { { 'c', HELLO, 0 }, { 'c', RST, 0 } }, UNANSWERED },
	{ "client sends on without an answer, and closes", 0, { { 'c', HELLO, 0 }, { 'c', GOES_ON, 0 }, { 'c', FIN, 0 } }, UNANSWERED },
	{ "client sends on and closes, the answer was lost", 0, { { 'c', HELLO, 0 }, { 's', HOLE, 0 }, { 'c', GOES_ON, 0 }, { 'c', FIN, 0 } }, NEGOTIATED },
	{ "client closes after silence, the server answers behind it", V10, { { 'c', HELLO, 0 }, { 'c', FIN, 0 }, { 's', HELLO, 0 }, { 's', FIN, 0 } }, NEGOTIATED },
	{ "client's alert after silence", 0, { { 'c', HELLO, 0 }, { 'c', ALERT, FATAL(80) }, { 'c', FIN, 0 } }, UNANSWERED },
	{ "client gives up, the server's alert comes too late", 0, { { 'c', HELLO, 0 }, { 'c', FIN, 0 }, { 's', ALERT, FATAL(40) } }, UNANSWERED },
	{ "client gives up, the ServerHello comes too late", V12, { { 'c', HELLO, 0 }, { 'c', FIN, 0 }, { 's', HELLO, 0 } }, NEGOTIATED },
	{ "client gives up while the ServerHello is on its way", V12, { { 'c', HELLO, 0 }, { 's', HELLO, 0 }, { 'c', BLIND, 0 }, { 'c', FIN, 0 } }, NEGOTIATED },
	{ "client closes on words that are no TLS", 0, { { 'c', HELLO, 0 }, { 's', WORDS, 0 }, { 'c', FIN, 0 } }, REFUSED(CLIENT, CLOSE, 0) },
	{ "client's alert to words that are no TLS", 0, { { 'c', HELLO, 0 }, { 's', WORDS, 0 }, { 'c', ALERT, FATAL(10) }, { 'c', FIN, 0 } }, REFUSED(CLIENT, ALERT, 10) },
	{ "server closes behind words that are no TLS", 0, { { 'c', HELLO, 0 }, { 's', WORDS, 0 }, { 's', FIN, 0 }, { 'c', FIN, 0 } }, REFUSED(SERVER, CLOSE, 0) },

	/* Part of a capture is still evidence. */
	{ "client's side: a hello", 0, { { 'c', HELLO, 0 } }, OUTCOME_UNANSWERED, SIDE_NONE, REFUSAL_NONE, 0, CLIENT_ONLY },
	{ "client's side: a hello and a close", 0, { { 'c', HELLO, 0 }, { 'c', FIN, 0 } }, OUTCOME_UNANSWERED, SIDE_NONE, REFUSAL_NONE, 0, CLIENT_ONLY },
	{ "client's side: what presupposes an answer", 0, { { 'c', HELLO, 0 }, CLIENT_12, { 'c', FIN, 0 } }, OUTCOME_NEGOTIATED, SIDE_NONE, REFUSAL_NONE, 0, CLIENT_ONLY },
	{ "client's side: an alert with a reason", 0, { { 'c', HELLO, 0 }, { 'c', ALERT, FATAL(48) }, { 'c', FIN, 0 } }, OUTCOME_REFUSED, SIDE_CLIENT, REFUSAL_ALERT, 48, CLIENT_ONLY },
	{ "client's side: an alert that needs no answer", 0, { { 'c', HELLO, 0 }, { 'c', ALERT, FATAL(80) } }, OUTCOME_UNANSWERED, SIDE_NONE, REFUSAL_NONE, 0, CLIENT_ONLY },
	{ "client's side: an alert that a mere close may bring", 0, { { 'c', HELLO, 0 }, { 'c', ALERT, FATAL(50) } }, OUTCOME_UNANSWERED, SIDE_NONE, REFUSAL_NONE, 0, CLIENT_ONLY },
	{ "server's side: a ServerHello and a close", V12, { { 's', HELLO, 0 }, { 's', FIN, 0 } }, OUTCOME_NEGOTIATED, SIDE_NONE, REFUSAL_NONE, 0, SERVER_ONLY },
	{ "server's side: a reset", V12, { { 's', HELLO, 0 }, { 's', RST, 0 } }, OUTCOME_NEGOTIATED, SIDE_NONE, REFUSAL_NONE, 0, SERVER_ONLY },
	{ "server's side: a fatal alert", V12, { { 's', HELLO, 0 }, { 's', ALERT, FATAL(40) } }, OUTCOME_REFUSED, SIDE_SERVER, REFUSAL_ALERT, 40, SERVER_ONLY },
	{ "server's side of 1.3", V13, { { 's', HELLO, 0 }, FLIGHT_13, { 's', RECORD, 250 }, { 's', FIN, 0 } }, OUTCOME_NEGOTIATED, SIDE_NONE, REFUSAL_NONE, 0, SERVER_ONLY },
	{ "server's side of 1.3: close_notify", V13, { { 's', HELLO, 0 }, FLIGHT_13, { 's', RECORD, 250 }, { 's', RECORD, 19 }, { 's', FIN, 0 } }, OUTCOME_NEGOTIATED, SIDE_NONE, REFUSAL_NONE, 0, SERVER_ONLY },
	{ "hole behind the ServerHello, client finished, server closes: 1.3", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', HOLE, 0 }, { 's', FIN, 0 } }, NEGOTIATED },
	{ "hole in the server's flight, client goes on, the server's next word is an alert: 1.3", V13, { HELLOS, { 's', HOLE, 0 }, FLIGHT_13, FINISHED_13, { 'c', RECORD, 40 }, { 's', RECORD, 19 }, { 's', RST, 0 } }, NEGOTIATED },
	{ "hole behind the server's flight, client goes on, then the server's alert: 1.3", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 'c', RECORD, 40 }, { 's', HOLE, 0 }, { 's', RECORD, 19 }, { 's', FIN, 0 } }, ESTABLISHED },
	{ "hole behind the ServerHello, client finished, server's last record is an alert: 1.3", V13, { HELLOS, FLIGHT_13, FINISHED_13, { 's', HOLE, 0 }, { 's', RECORD, 19 }, { 's', FIN, 0 } }, NEGOTIATED },
	{ "hole behind the ServerHello, client finished, server resets: 1.2", V12, { HELLOS, CLIENT_12, { 's', HOLE, 0 }, { 's', RST, 0 } }, NEGOTIATED },
	{ "hole behind the ServerHello, client's sealed alert: 1.2", V12, { HELLOS, CLIENT_12, { 's', HOLE, 0 }, { 'c', SEALED_ALERT, 0 }, { 'c', FIN, 0 } }, NEGOTIATED },
	{ "hole behind the ClientHello, server finished and closes: 1.2", V12, { HELLOS, { 'c', HOLE, 0 }, SERVER_12, { 's', FIN, 0 } }, NEGOTIATED },
	{ "hole where the client's alert was, server closes on it", V12, { HELLOS, { 'c', HOLE, 0 }, { 's', FIN, 0 }, { 'c', FIN, 0 } }, NEGOTIATED },
	{ "hole in place of the server's answer, client's alert to it", 0, { { 'c', HELLO, 0 }, { 's', HOLE, 0 }, { 'c', ALERT, FATAL(42) }, { 'c', FIN, 0 } }, REFUSED(CLIENT, ALERT, 42) },
	{ "hole in place of the server's flight, client's sealed alert behind its Finished: 1.2", 0, { { 'c', HELLO, 0 }, { 's', HOLE, 0 }, CLIENT_12, { 'c', SEALED_ALERT, 0 } }, NEGOTIATED },
	{ "hole in place of the ClientHello, client's sealed alert: 1.2", V12, { { 'c', HOLE, 0 }, { 's', HELLO, 0 }, { 'c', CCS, 0 }, { 'c', SEALED_ALERT, 0 } }, NEGOTIATED },
	{ "hole in place of the server's answer, server closes", 0, { { 'c', HELLO, 0 }, { 's', HOLE, 0 }, { 's', FIN, 0 } }, REFUSED(SERVER, CLOSE, 0) },
	{ "hole behind the ServerHello, an alert that can be read: 1.2", V12, { HELLOS, CLIENT_12, { 's', HOLE, 0 }, { 's', ALERT, FATAL(40) } }, REFUSED(SERVER, ALERT, 40) },
	{ "hole behind the ClientHello, a short record may be anything: 1.3", V13, { HELLOS, FLIGHT_13, { 'c', HOLE, 0 }, { 'c', RECORD, 23 }, { 'c', FIN, 0 } }, NEGOTIATED },
	{ "hole behind the ClientHello, then a close: 1.2", V12, { HELLOS, { 'c', HOLE, 0 }, { 'c', FIN, 0 } }, NEGOTIATED },
	{ "ServerHello lost: 1.2 finished by both", 0, { { 'c', HELLO, 0 }, { 's', WORDS, 0 }, CLIENT_12, SERVER_12 }, ESTABLISHED },
	{ "ServerHello lost: 1.2 client's sealed alert crosses the server's Finished", 0, { { 'c', HELLO, 0 }, { 's', WORDS, 0 }, CLIENT_12, { 'c', SEALED_ALERT, 0 }, SERVER_12 }, REFUSED(CLIENT, ENCRYPTED_ALERT, 0) },
	{ "ServerHello lost: 1.2 the server finished, says goodbye and closes", 0, { { 'c', HELLO, 0 }, { 's', WORDS, 0 }, SERVER_12, { 's', SEALED_ALERT, 0 }, { 's', FIN, 0 } }, NEGOTIATED },
	{ "ServerHello lost: 1.3 the server went on and closes", 0, { { 'c', HELLO, 0 }, { 's', RECORD, 250 }, { 's', RECORD, 250 }, { 's', FIN, 0 } }, NEGOTIATED },
	{ "ServerHello lost: the server went on, the end was not seen", 0, { { 'c', HELLO, 0 }, { 's', RECORD, 250 } }, NEGOTIATED },
	{ "ChangeCipherSpec behind a HelloRetryRequest is no ServerHello", V13, { { 'c', HELLO, 0 }, { 's', RETRY, 0 }, { 's', CCS, 0 }, { 's', FIN, 0 } }, REFUSED(SERVER, CLOSE, 0) },
	{ "ClientHello lost: 1.2 client's sealed alert crosses the server's Finished", V12, { { 'c', HOLE, 0 }, { 's', HELLO, 0 }, CLIENT_12, { 'c', SEALED_ALERT, 0 }, SERVER_12 }, REFUSED(CLIENT, ENCRYPTED_ALERT, 0) },
	{ "ServerHello lost: 1.3 goes on in both directions", 0, { { 'c', HELLO, 0 }, { 's', CCS, 0 }, { 's', RECORD, 69 }, FINISHED_13, { 's', RECORD, 250 } }, ESTABLISHED },
	{ "ServerHello lost: 1.3 refused by a protected alert is not established", 0, { { 'c', HELLO, 0 }, { 's', CCS, 0 }, { 's', RECORD, 830 }, { 'c', CCS, 0 }, { 'c', RECORD, 19 } }, NEGOTIATED },
	{ "ServerHello lost: early data is no Finished, the client's alert", 0, { { 'c', HELLO, 0 }, { 'c', EARLY, 0 }, { 'c', RECORD, 137 }, { 's', HOLE, 0 }, { 's', RECORD, 830 }, { 'c', ALERT, FATAL(42) } }, REFUSED(CLIENT, ALERT, 42) },
	{ "ServerHello lost: early data is no Finished, the server goes on", 0, { { 'c', HELLO, 0 }, { 'c', EARLY, 0 }, { 'c', RECORD, 137 }, { 's', HOLE, 0 }, { 's', RECORD, 830 }, { 's', RECORD, 69 } }, NEGOTIATED },
	{ "ServerHello lost: early data, and 1.3 goes on in both directions", 0, { { 'c', HELLO, 0 }, { 'c', EARLY, 0 }, { 'c', RECORD, 137 }, { 's', HOLE, 0 }, { 's', RECORD, 830 }, { 'c', RECORD, 21 }, { 'c', RECORD, 69 }, { 's', RECORD, 82 } }, ESTABLISHED },
	{ "ServerHello lost: ChangeCipherSpec shows that there was one", 0, { { 'c', HELLO, 0 }, { 's', CCS, 0 } }, NEGOTIATED },
};
/* clang-format on */

/* Offsets and times of a conversation under construction. */
struct place {
	int64_t time_us, offset[2], received[2];
	bool blind;
};

static void
add_bytes(struct evidence_side *side, const struct act *act, const struct mark *mark)
{
	bool is_server = act->side == 's';

	if (is_server && !side->bytes && act->verb != FIN && act->verb != RST) {
		side->bytes = true;
		side->answer_mark = *mark;
	}
	switch ((enum verb)act->verb) {
	case HELLO:
		side->hello = true;
		side->hello_mark = *mark;
		return;
	case RETRY:
		side->hello_retry = true;
		return;
	case EARLY:
		side->early_data = true;
		return;
	case GOES_ON:
		side->goes_on = true;
		return;
	case CCS:
		side->ccs = true;
		side->goes_on = side->goes_on || !side->early_data;
		return;
	case FINISHED:
		if (!side->ciphertext)
			side->ciphertext_mark = *mark;
		side->ciphertext = side->finished = true;
		return;
	case RECORD:
		side->ciphertext = side->ciphertext || side->ccs;
		side->goes_on = side->goes_on || !side->early_data;
		evidence_add_record(side, act->value, mark);
		return;
	case ALERT:
		evidence_add_alert(side, (uint8_t)(act->value >> 8), (uint8_t)act->value, mark);
		return;
	case SEALED_ALERT:
		side->alert = true;
		side->alert_kind = REFUSAL_ENCRYPTED_ALERT;
		side->alert_mark = *mark;
		return;
	case SSL2_RECORD:
		side->ssl2_records++;
		return;
	case HOLE:
		side->lost = true;
		side->hole = side->hello;
		return;
	case FIN:
		side->fin = true;
		side->fin_mark = *mark;
		return;
	case RST:
		side->rst = true;
		side->rst_mark = *mark;
		return;
	case WORDS:
	case BLIND:
	case SAME:
	case DONE:
		return;
	}
}

/* `late_us`: how late the mirror delivers the server's packets.  Fills `sides`, client first. */
static struct evidence
evidence_of(const struct row *row, int64_t late_us, struct evidence_side sides[2])
{
	struct evidence ev = {
		.client = &sides[0],
		.server = &sides[1],
		.version = row->version,
	};
	struct place at = { .time_us = 1000 };

	sides[0] = sides[1] = (struct evidence_side){ 0 };
	for (const struct act *act = row->acts; act->verb != DONE; act++) {
		unsigned dir = act->side == 's';
		struct mark mark;

		if (act->verb == SAME) {
			at.time_us -= 1000;
			continue;
		}
		if (act->verb == BLIND) {
			at.blind = true;
			continue;
		}
		if (!at.blind)
			at.received[dir] = at.offset[1 - dir];
		at.blind = false;
		at.time_us += 1000;
		mark = (struct mark){ .time_us = at.time_us + (dir == 1 ? late_us : 0),
			.offset = at.offset[dir],
			.peer_offset = row->view == BOTH ? at.received[dir] : MARK_NO_PEER };
		add_bytes(&sides[dir], act, &mark);
		at.offset[dir] += act->verb == FIN ? 1 : 100;
	}
	ev.client_seen = row->view != SERVER_ONLY;
	ev.server_seen = row->view != CLIENT_ONLY;
	return ev;
}

static struct evidence_outcome
judge(const struct evidence *ev)
{
	struct evidence_outcome out;

	evidence_judge(ev, &out);
	return out;
}

static void
check_row(const struct row *row, int64_t late_us)
{
	struct evidence_side sides[2];
	struct evidence ev = evidence_of(row, late_us, sides);
	struct evidence_outcome out = judge(&ev);

	ck_assert_msg(out.outcome == row->outcome, "%s: %s", row->name, outcome_name(out.outcome));
	ck_assert_msg(out.refused_by == row->refused_by, "%s: by %d", row->name, out.refused_by);
	ck_assert_msg(out.refusal == row->refusal, "%s: refusal %d", row->name, out.refusal);
	ck_assert_msg(
	    out.refusal_alert == row->alert, "%s: alert %u", row->name, out.refusal_alert);
	/* What is settled is final: only success is beyond doubt. */
	ck_assert_msg(!out.settled || out.outcome == OUTCOME_ESTABLISHED, "%s: settled", row->name);
}

START_TEST(evidence_gives_the_outcome)
{
	check_row(&rows[_i], 0);
}
END_TEST

/* A mirror that delivers one direction late swaps packet times, not what each side knew. */
START_TEST(late_mirror_changes_no_outcome)
{
	if (rows[_i].view != BOTH)
		return;
	check_row(&rows[_i], 10000000);
	check_row(&rows[_i], -10000000);
}
END_TEST

START_TEST(refusal_leaves_time_for_what_was_delayed)
{
	const struct row row = { "refused", V12, { HELLOS, { 'c', ALERT, FATAL(48) } },
		REFUSED(CLIENT, ALERT, 48) };
	const struct row open = { "open", V12, { HELLOS }, NEGOTIATED };
	struct evidence_side sides[2];
	struct evidence ev = evidence_of(&row, 0, sides);
	struct evidence_outcome out = judge(&ev);

	ck_assert(out.ended && !out.settled);
	ev = evidence_of(&open, 0, sides);
	out = judge(&ev);
	ck_assert(!out.ended && !out.settled);
}
END_TEST

/* Of every beginning of every row. */
START_TEST(what_is_not_decisive_neither_settles_nor_ends)
{
	struct row row = rows[_i];
	struct evidence_side sides[2];
	size_t count = 0;

	while (row.acts[count].verb != DONE)
		count++;
	for (; count > 0; count--) {
		struct evidence ev = evidence_of(&row, 0, sides);
		struct evidence_outcome out = judge(&ev);

		ck_assert_msg(
		    evidence_is_decisive(&sides[0], &sides[1]) || (!out.settled && !out.ended),
		    "%s: %zu acts", row.name, count);
		row.acts[count - 1].verb = DONE;
	}
}
END_TEST

/* RFC 9293, section 3.6: who has closed still receives. */
START_TEST(half_that_is_open_may_still_answer)
{
	const struct row closed = { "closed", 0, { { 'c', HELLO, 0 }, { 'c', FIN, 0 } },
		UNANSWERED };
	const struct row both = { "both closed", 0,
		{ { 'c', HELLO, 0 }, { 'c', FIN, 0 }, { 's', FIN, 0 } }, UNANSWERED };
	const struct row reset = { "reset", 0, { { 'c', HELLO, 0 }, { 'c', RST, 0 } }, UNANSWERED };
	struct evidence_side sides[2];
	struct evidence ev = evidence_of(&closed, 0, sides);

	ck_assert(!judge(&ev).ended);
	ev = evidence_of(&both, 0, sides);
	ck_assert(judge(&ev).ended);
	ev = evidence_of(&reset, 0, sides);
	ck_assert(judge(&ev).ended);
}
END_TEST

START_TEST(latest_records_are_kept_in_order)
{
	struct evidence_side side = { 0 };

	for (uint32_t len = 1; len <= EVIDENCE_RECENT + 3; len++) {
		struct mark mark = { .offset = len };

		evidence_add_record(&side, len, &mark);
	}
	ck_assert_uint_eq(side.recent_count, EVIDENCE_RECENT);
	for (uint32_t i = 0; i < EVIDENCE_RECENT; i++) {
		ck_assert_uint_eq(side.recent[i].len, i + 4);
		ck_assert_int_eq(side.recent[i].mark.offset, i + 4);
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, evidence_gives_the_outcome, 0, ROWS(rows));
	tcase_add_loop_test(tc, late_mirror_changes_no_outcome, 0, ROWS(rows));
	tcase_add_loop_test(tc, what_is_not_decisive_neither_settles_nor_ends, 0, ROWS(rows));
	tcase_add_test(tc, refusal_leaves_time_for_what_was_delayed);
	tcase_add_test(tc, half_that_is_open_may_still_answer);
	tcase_add_test(tc, latest_records_are_kept_in_order);
}

SUITE_MAIN("session_evidence")
