#include "mail_script.h"

#include "base/banned.h"

#define BANNER "220 mail.corp.example ESMTP\r\n"
#define EHLO_OK "250-mail.corp.example\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"

static const struct script scripts[] = {
	{ "nothing", ANY_ORDER, { { END, NULL } }, "0 " },
	{ "banner_only", ANY_ORDER, { { S, BANNER } }, "greeting 0 " },
	{ "banner_and_quit_is_no_session", ANY_ORDER,
	    { { S, BANNER }, { C, "QUIT\r\n" }, { S, "221 2.0.0 Bye\r\n" } }, "greeting quit 0 " },
	{ "refusing_banner_is_no_session", ANY_ORDER, { { S, "554 no service\r\n" } }, "0 " },
	{ "banner_of_two_lines_without_a_hyphen", ANY_ORDER,
	    { { S, "220 mail\r\n220 Authorized use only\r\n" } }, "greeting 0 " },
	{ "banner_of_two_lines_without_a_hyphen_grants_nothing", OR_SERVER_FIRST,
	    { { S, "220 mail\r\n220 Authorized use only\r\n" }, { C, "HELO a\r\n" },
		{ S, "250 hi\r\n" }, { C, "MAIL FROM:<a@b>\r\n" }, { S, "250 ok\r\n" } },
	    "greeting 2 ehlo=a" },
	{ "goodbye_421_is_no_session", ANY_ORDER, { { S, BANNER "421 timeout\r\n" } },
	    "greeting 0 " },
	{ "starttls", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO scanner.example\r\n" }, { S, EHLO_OK },
		{ C, "STARTTLS\r\n" }, { S, "220 2.0.0 Ready to start TLS\r\n" }, { C, SCRIPT_TLS },
		{ S, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 2 ehlo=scanner.example" },
	{ "any_case_and_bare_lf", ANY_ORDER,
	    { { S, "220 mail esmtp\n" }, { C, "ehlo a\n" }, { S, "250 mail\n" },
		{ C, "StartTLS\n" }, { S, "220 go\n" }, { C, SCRIPT_TLS }, { S, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 2 ehlo=a" },
	{ "starttls_refused_and_granted", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "STARTTLS\r\n" },
		{ S, "454 4.7.0 TLS not available\r\n" }, { C, "STARTTLS\r\n" },
		{ S, "220 now\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted refused tls:C 3 ehlo=a" },
	{ "starttls_granted_and_refused", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "STARTTLS\r\n" },
		{ S, "220 now\r\n" }, { C, "STARTTLS\r\n" }, { S, "503 again?\r\n" } },
	    "greeting asked refused 3 ehlo=a" },
	/* As a server answers that throws away what was sent behind STARTTLS. */
	{ "starttls_and_data_without_waiting", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK },
		{ C, "STARTTLS\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" },
		{ S, "220 go\r\n" }, { C, SCRIPT_TLS }, { S, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 5 ehlo=a" },
	{ "starttls_refused_and_data_without_waiting", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK },
		{ C, "STARTTLS\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" },
		{ S, "454 no\r\n250 ok\r\n250 ok\r\n354 go\r\n" },
		{ C, "Subject: x\r\n\r\n\x16\x02.\r\n.\r\n" }, { S, "250 ok\r\n" } },
	    "greeting asked refused 5 ehlo=a" },
	{ "starttls_granted_and_no_tls", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "STARTTLS\r\n" },
		{ S, "220 now\r\n" }, { C, "MAIL FROM:<a@b>\r\n" }, { S, "250 ok\r\n" } },
	    "greeting asked granted in_vain 3 ehlo=a" },
	{ "starttls_granted_and_words_without_an_answer", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "STARTTLS\r\n" },
		{ S, "220 now\r\n" }, { C, "EHLO a\r\n" } },
	    "greeting asked granted 3 ehlo=a" },
	{ "starttls_granted_and_quit", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "STARTTLS\r\n" },
		{ S, "220 now\r\n" }, { C, "QUIT\r\n" }, { S, "221 bye\r\n" } },
	    "greeting asked granted quit 2 ehlo=a" },
	{ "starttls_granted_and_credentials_in_the_clear", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "STARTTLS\r\n" },
		{ S, "220 now\r\n" }, { C, "AUTH PLAIN AGEAYg==\r\n" } },
	    "greeting asked granted in_vain login 3 ehlo=a" },
	{ "credentials_in_the_clear_before_starttls", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "AUTH PLAIN AGEAYg==\r\n" },
		{ S, "530 no\r\n" }, { C, "STARTTLS\r\n" }, { S, "220 now\r\n" } },
	    "greeting asked granted login 3 ehlo=a" },
	{ "telnet_options_in_front_of_a_command", ANY_ORDER,
	    { { S, BANNER },
		{ C, "\xff\xfb\x1f\xff\xfa\x20"
		     "38400,38400\xff\xf0\xff\xf4"
		     "EHLO a\r\n" },
		{ S, "500 what?\r\n" }, { C, "\xff\xfd\x06STARTTLS\r\n" }, { S, "220 now\r\n" },
		{ C, SCRIPT_TLS } },
	    "greeting asked granted garbage tls:C 2 ehlo=a" },
	{ "telnet_options_that_do_not_end", ANY_ORDER,
	    { { S, BANNER }, { C, "\xff\xfa\x20\r\n\xff\r\n\xff\xfb\r\n\xff\xff\r\n" },
		{ S, "500 what?\r\n" } },
	    "greeting garbage 0 " },
	{ "message_of_lines_without_a_dot", ANY_ORDER,
	    { { S, BANNER }, { C, "DATA\r\n" }, { S, "354 go\r\n" },
		{ C, "QUJD\r\nRSET\r\nQUJD\n.\r\nQUJD\r\n..\r\nQUJD\r\n.\r\nNOOP\r\n" },
		{ S, "250 ok\r\n250 ok\r\n" } },
	    "greeting 2 " },
	{ "message_that_begins_with_a_telnet_option", ANY_ORDER,
	    { { S, BANNER }, { C, "DATA\r\n" }, { S, "354 go\r\n" },
		{ C, "\xff\xfd\x06QUIT\r\n.\r\n" }, { S, "250 ok\r\n" } },
	    "greeting 1 " },
	{ "message_that_begins_with_a_mark_of_utf_16", ANY_ORDER,
	    { { S, BANNER }, { C, "DATA\r\n" }, { S, "354 go\r\n" },
		{ C, "\xff\xfe\r\nRSET\r\nAUTH PLAIN AGEAYg==\r\n.\r\n" }, { S, "250 ok\r\n" } },
	    "greeting 1 " },
	{ "starttls_unknown_to_the_server", ANY_ORDER,
	    { { S, BANNER }, { C, "HELO a\r\n" }, { S, "250 hi\r\n" }, { C, "STARTTLS\r\n" },
		{ S, "502 what?\r\n" }, { C, "QUIT\r\n" }, { S, "221 bye\r\n" } },
	    "greeting asked refused quit 2 ehlo=a" },
	{ "refusal_belongs_to_its_command", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\nVRFY b\r\nSTARTTLS\r\n" },
		{ S, EHLO_OK "502 no\r\n220 go\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 3 ehlo=a" },
	{ "starttls_without_ehlo", ANY_ORDER,
	    { { S, BANNER }, { C, "STARTTLS\r\n" }, { S, "220 SMTP go\r\n" } },
	    "greeting asked granted 1 " },
	{ "auth_plain_with_response", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "AUTH PLAIN AGEAYg==\r\n" },
		{ S, "235 ok\r\n" }, { C, "QUIT\r\n" }, { S, "221 bye\r\n" } },
	    "greeting login logged_in quit 2 ehlo=a" },
	{ "auth_plain_refused", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "AUTH PLAIN AGEAYg==\r\n" },
		{ S, "535 no\r\n" } },
	    "greeting login 2 ehlo=a" },
	{ "auth_login", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "auth login\r\n" },
		{ S, "334 VXNlcm5hbWU6\r\n" }, { C, "bWZw\r\n" }, { S, "334 UGFzc3dvcmQ6\r\n" },
		{ C, "ZHVtbXk=\r\n" }, { S, "235 ok\r\n" }, { C, "MAIL FROM:<a@b>\r\n" },
		{ S, "250 ok\r\n" } },
	    "greeting login logged_in 3 ehlo=a" },
	{ "auth_login_with_verbs_that_are_base64_of_a_name_and_a_password", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "AUTH LOGIN\r\n" },
		{ S, "334 VXNlcm5hbWU6\r\n" }, { C, "TURN\r\n" }, { S, "334 UGFzc3dvcmQ6\r\n" },
		{ C, "SEND\r\n" }, { S, "535 no\r\n" }, { C, "QUIT\r\n" } },
	    "greeting login quit 2 ehlo=a" },
	{ "auth_login_given_up_by_a_verb", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "AUTH LOGIN\r\n" },
		{ S, "334 VXNlcm5hbWU6\r\n" }, { C, "RSET\r\n" }, { S, "501 no\r\n" },
		{ C, "QUIT\r\n" } },
	    "greeting quit 3 ehlo=a" },
	{ "auth_login_refused_at_once", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "AUTH LOGIN\r\n" },
		{ S, "530 Must issue a STARTTLS command first\r\n" }, { C, "QUIT\r\n" },
		{ S, "221 bye\r\n" } },
	    "greeting quit 2 ehlo=a" },
	{ "auth_cancelled", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "AUTH PLAIN\r\n" },
		{ S, "334 \r\n" }, { C, "*\r\n" }, { S, "501 cancelled\r\n" } },
	    "greeting 2 ehlo=a" },
	{ "auth_refused_at_once_after_a_cancelled_one", IN_ORDER,
	    { { S, BANNER }, { C, "AUTH PLAIN\r\n" }, { S, "334 \r\n" }, { C, "*\r\n" },
		{ S, "501 cancelled\r\n" }, { C, "AUTH PLAIN\r\n" }, { S, "530 no\r\n" },
		{ C, "XFOO\r\n" } },
	    "greeting garbage 2 " },
	{ "auth_continued_with_no_bytes", ANY_ORDER,
	    { { S, BANNER }, { C, "AUTH PLAIN\r\n" }, { S, "334 \r\n" }, { C, "=\r\n" },
		{ S, "535 no\r\n" } },
	    "greeting 1 " },
	{ "auth_response_of_no_bytes", ANY_ORDER,
	    { { C, "AUTH PLAIN =\r\n" }, { S, "535 no\r\n" } }, "1 " },
	{ "auth_challenge_hides_the_secret", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "AUTH CRAM-MD5\r\n" },
		{ S, "334 PDE+\r\n" }, { C, "YSBiYw==\r\n" }, { S, "235 ok\r\n" } },
	    "greeting logged_in 2 ehlo=a" },
	{ "auth_xoauth2", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK },
		{ C, "AUTH XOAUTH2 dXNlcg==\r\n" }, { S, "334 eyJ9\r\n" }, { C, "\r\n" },
		{ S, "535 no\r\n" }, { C, "QUIT\r\n" }, { S, "221 bye\r\n" } },
	    "greeting login quit 2 ehlo=a" },
	{ "auth_seen_from_the_client_alone", IN_ORDER,
	    { { C, "EHLO a\r\nAUTH LOGIN\r\n" }, { C, "bWZw\r\n" }, { C, "ZHVtbXk=\r\n" },
		{ C, "MAIL FROM:<a@b>\r\n" } },
	    "login 3 ehlo=a" },
	{ "message_with_starttls_in_it", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK },
		{ C, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" },
		{ S, "250 ok\r\n250 ok\r\n354 go\r\n" },
		{ C, "Subject: x\r\n\r\nSTARTTLS\r\n\x16\x02..\r\n..\r\nAUTH PLAIN "
		     "AGEAYg==\r\nQUIT\n"
		     ".\nQUIT\r\n.\r\n" },
		{ S, "250 queued\r\n" }, { C, "NOOP\r\n" }, { S, "250 ok\r\n" } },
	    "greeting 5 ehlo=a" },
	{ "dot_with_a_bare_lf_ends_no_message", ANY_ORDER,
	    { { S, BANNER }, { C, "DATA\r\n" }, { S, "354 go\r\n" },
		{ C, "Subject: x\r\n.\nSTARTTLS\r\n.\rx\r\n.\r\n" }, { S, "250 ok\r\n" } },
	    "greeting 1 " },
	{ "refusal_of_an_earlier_message", IN_ORDER,
	    { { S, BANNER }, { C, "DATA\r\nSubject: x\r\n.\r\nDATA\r\nSubject: y\r\n" },
		{ S, "503 no\r\n500 what?\r\n" }, { C, "STARTTLS\r\n.\r\n" } },
	    "greeting 2 " },
	{ "message_begins_with_a_command", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "DATA\r\n" },
		{ S, "354 go\r\n" }, { C, "QUIT\r\nSTARTTLS\r\n\r\n.\r\n" },
		{ S, "250 queued\r\n" } },
	    "greeting 2 ehlo=a" },
	{ "message_begins_with_tls_type", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "DATA\r\n" },
		{ S, "354 go\r\n" }, { C, "\x16\x02\r\n\x15\r\n.\r\nNOOP\r\n" },
		{ S, "250 queued\r\n250 ok\r\n" } },
	    "greeting 3 ehlo=a" },
	{ "message_of_no_lines", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "DATA\r\n" },
		{ S, "354 go\r\n" }, { C, ".\r\n" }, { S, "250 queued\r\n" }, { C, "STARTTLS\r\n" },
		{ S, "220 go\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 3 ehlo=a" },
	{ "message_of_a_bare_lf_client", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\n" }, { S, EHLO_OK }, { C, "DATA\n" },
		{ S, "354 go\r\n" }, { C, "Subject: x\n\nRSET\n.\n" }, { S, "250 queued\r\n" },
		{ C, "STARTTLS\n" }, { S, "220 go\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 3 ehlo=a" },
	{ "data_refused", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK },
		{ C, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" },
		{ S, "250 ok\r\n550 no\r\n503 no recipients\r\n" }, { C, "RSET\r\n" },
		{ S, "250 ok\r\n" }, { C, "STARTTLS\r\n" }, { S, "220 go\r\n" },
		{ C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 6 ehlo=a" },
	{ "refused_recipient_is_no_refused_data", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK },
		{ C, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n" },
		{ S, "250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n" },
		{ C, "QUIT: no\r\n\r\nSTARTTLS\r\n.\r\n" }, { S, "250 queued\r\n" },
		{ C, "QUIT\r\n" }, { S, "221 bye\r\n" } },
	    "greeting quit 5 ehlo=a" },
	{ "bdat_chunks", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK },
		{ C, "BDAT 10\r\nSTARTTLS\r\nBDAT 5 LAST\r\n\x16\x02..\nNOOP\r\n" },
		{ S, "250 ok\r\n250 ok\r\n250 ok\r\n" } },
	    "greeting 4 ehlo=a" },
	{ "bdat_of_no_bytes", ANY_ORDER,
	    { { S, BANNER }, { C, "BDAT 0 LAST\r\nNOOP\r\n" }, { S, "250 ok\r\n250 ok\r\n" } },
	    "greeting 2 " },
	{ "bdat_with_no_number", ANY_ORDER,
	    { { S, BANNER }, { C, "BDAT\r\nBDAT x\r\nBDAT 99999999999999999999\r\nNOOP\r\n" } },
	    "greeting 4 " },
	{ "lmtp", ANY_ORDER,
	    { { S, "220 mail LMTP\r\n" }, { C, "LHLO a\r\n" }, { S, EHLO_OK },
		{ C, "STARTTLS\r\n" }, { S, "220 go\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 ehlo=a" },
	{ "lmtp_answers_once_per_recipient", IN_ORDER,
	    { { S, "220 mail LMTP\r\n" }, { C, "LHLO a\r\n" }, { S, EHLO_OK },
		{ C, "RCPT TO:<b>\r\nRCPT TO:<c>\r\nDATA\r\n" },
		{ S, "250 ok\r\n250 ok\r\n354 go\r\n" }, { C, "Subject: x\r\n.\r\n" },
		{ S, "250 ok\r\n550 full\r\n" }, { C, "STARTTLS\r\n" }, { S, "220 go\r\n" },
		{ C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 5 ehlo=a" },
	{ "xclient_brings_a_second_greeting", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "XCLIENT NAME=b\r\n" },
		{ S, BANNER }, { C, "EHLO b\r\n" }, { S, EHLO_OK } },
	    "greeting 3 ehlo=b" },
	{ "server_alone", IN_ORDER, { { S, BANNER EHLO_OK "235 ok\r\n" } },
	    "greeting logged_in 1 " },
	{ "server_alone_with_starttls", IN_ORDER,
	    { { S, BANNER EHLO_OK "220 2.0.0 Ready to start TLS\r\n" SCRIPT_TLS } },
	    "greeting granted tls:S 1 " },
	{ "server_alone_with_starttls_as_exchange_grants_it", IN_ORDER,
	    { { S, BANNER EHLO_OK "220 2.0.0 SMTP server ready\r\n" } }, "greeting granted 1 " },
	{ "server_alone_answering_noise", IN_ORDER, { { S, BANNER "502 what?\r\n500 what?\r\n" } },
	    "greeting 0 " },
	{ "client_alone", IN_ORDER,
	    { { C, "EHLO a\r\n" }, { C, "STARTTLS\r\n" }, { C, SCRIPT_TLS } },
	    "asked tls:C 2 ehlo=a" },
	{ "client_alone_with_a_message", IN_ORDER,
	    { { C, "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" },
		{ C, "Subject: x\r\n\r\nSTARTTLS\r\n.\r\nQUIT\r\n" } },
	    "quit 4 ehlo=a" },
	{ "starts_behind_the_banner", IN_ORDER,
	    { { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "STARTTLS\r\n" },
		{ S, "220 2.0.0 Ready to start TLS\r\n" }, { C, SCRIPT_TLS }, { S, SCRIPT_TLS } },
	    "asked granted tls:C tls:S 2 ehlo=a" },
	{ "starts_behind_ehlo", IN_ORDER,
	    { { C, "STARTTLS\r\n" }, { S, "220 2.0.0 Ready to start TLS\r\n" }, { C, SCRIPT_TLS },
		{ S, SCRIPT_TLS } },
	    "asked granted tls:C tls:S 1 " },
	{ "starts_behind_ehlo_as_exchange_grants_it", IN_ORDER,
	    { { C, "STARTTLS\r\n" }, { S, "220 2.0.0 SMTP server ready\r\n" } },
	    "asked granted 1 " },
	{ "starts_behind_ehlo_and_is_refused", IN_ORDER,
	    { { C, "STARTTLS\r\n" }, { S, "454 4.7.0 TLS not available\r\n" } },
	    "asked refused 1 " },
	{ "starts_in_a_login", IN_ORDER,
	    { { S, "334 UGFzc3dvcmQ6\r\n" }, { S, "235 ok\r\n" }, { C, "NOOP\r\n" },
		{ S, "250 ok\r\n" } },
	    "logged_in 1 " },
	{ "http_request", IN_ORDER,
	    { { S, BANNER }, { C, "GET / HTTP/1.1\r\nHost: mail\r\nAccept: */*\r\n\r\n" },
		{ S, "500 what?\r\n500 what?\r\n500 what?\r\n500 what?\r\n" } },
	    "greeting garbage 0 " },
	{ "http_request_that_the_server_mistakes", ANY_ORDER,
	    { { S, BANNER }, { C, "POST / HTTP/1.1\r\n" }, { S, "554 no HTTP here\r\n" } },
	    "greeting garbage 0 " },
	{ "ssh_server", IN_ORDER, { { S, "SSH-2.0-OpenSSH_9.9\r\n" } }, "garbage 0 " },
	{ "binary_without_a_line_end", IN_ORDER, { { C, "\x01\x02\x03\x04" } }, "garbage 0 " },
	{ "unknown_verbs", IN_ORDER,
	    { { C, "XYZZY\r\nEHLOO a\r\nEHL\r\nSTARTTLSX\r\nSTARTTL\r\n" } }, "garbage 0 " },
	{ "tls_at_once", IN_ORDER, { { C, SCRIPT_TLS }, { S, SCRIPT_TLS } }, "tls:C tls:S 0 " },
	{ "name_is_trimmed", IN_ORDER, { { C, "EHLO \t my printer \t\r\n" } },
	    "1 ehlo=my printer" },
	{ "ehlo_without_a_name", IN_ORDER, { { C, "EHLO\r\nHELO \r\n" } }, "2 " },
	{ "gap_over_the_greeting_and_the_starttls_command", IN_ORDER,
	    { { GAP_S, BANNER }, { C, "EHLO a\r\n" }, { GAP_S, EHLO_OK }, { GAP_C, "STARTTLS\r\n" },
		{ S, "220 TLS go ahead\r\n" } },
	    "granted 1 ehlo=a" },
	{ "gap_over_half_of_the_greeting", IN_ORDER,
	    { { GAP_S, "220-hello\r\n" }, { S, "220 go ahead\r\n" }, { C, "EHLO a\r\n" },
		{ S, EHLO_OK } },
	    "greeting 1 ehlo=a" },
	{ "gap_in_the_starttls_command", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { GAP_C, NULL },
		{ S, "220 2.0.0 Ready to start TLS\r\n" }, { C, SCRIPT_TLS }, { S, SCRIPT_TLS } },
	    "greeting granted tls:C tls:S 1 ehlo=a" },
	{ "tls_right_behind_a_gap_in_a_line", IN_ORDER,
	    { { C, "EHLO a\r\nSTART" }, { GAP_C, NULL }, { C, SCRIPT_TLS } }, "tls:C 1 ehlo=a" },
	{ "late_reply_to_a_lost_command", IN_ORDER,
	    { { S, BANNER }, { GAP_C, NULL }, { C, "STARTTLS\r\n" }, { S, EHLO_OK },
		{ S, "454 no\r\n" } },
	    "greeting asked refused 1 " },
	{ "half_a_line_behind_a_gap_says_nothing", IN_ORDER,
	    { { C, "EHLO a\r\n" }, { GAP_C, NULL }, { C, "ARTTLS\r\nNOOP\r\n" } }, "2 ehlo=a" },
	{ "whole_command_behind_a_gap", IN_ORDER,
	    { { S, BANNER }, { GAP_C, NULL }, { C, "STARTTLS\r\n" }, { S, "220 go\r\n" } },
	    "greeting asked granted 1 " },
	{ "gap_in_a_message", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "DATA\r\n" },
		{ S, "354 go\r\n" }, { C, "Subject: x\r\n" }, { GAP_C, NULL },
		{ C, "STARTTLS\r\nQUIT\r\n.\r\n" }, { S, "250 queued\r\n" }, { C, "NOOP\r\n" } },
	    "greeting 3 ehlo=a" },
	{ "gap_over_the_end_of_a_message", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "DATA\r\n" },
		{ S, "354 go\r\n" }, { C, "Subject: x\r\n" }, { GAP_C, NULL },
		{ S, "250 queued\r\n" }, { C, "STARTTLS\r\n" }, { S, "220 go\r\n" },
		{ C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 3 ehlo=a" },
	{ "gap_over_the_data_command_that_shows_behind_its_answer", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { C, "MAIL FROM:<a@b>\r\nRC" },
		{ S, "250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n" },
		{ GAP_C, "PT TO:<c@d>\r\nDATA\r\n" },
		{ C, "Subject: x\r\nEHLO b\r\nAUTH PLAIN AGEAYg==\r\nQUIT\r\n.\r\n" },
		{ C, "NOOP\r\n" }, { S, "250 ok\r\n" } },
	    "greeting 3 ehlo=a" },
	{ "gap_before_a_go_ahead_and_in_front_of_its_message", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { GAP_S, NULL }, { S, "354 go\r\n250 ok\r\n" },
		{ GAP_C, "DATA\r\n" }, { C, "Subject: x\r\nEHLO b\r\n.\r\nNOOP\r\n" } },
	    "greeting 2 ehlo=a" },
	{ "gap_in_front_of_the_command_that_is_told_to_go_ahead", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK "250 ok\r\n235 in\r\n354 go\r\n" },
		{ GAP_C, "NOOP\r\n" }, { C, "AUTH PLAIN AGEAYg==\r\n" },
		{ C, "RCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\nEHLO b\r\n.\r\nNOOP\r\n" } },
	    "greeting login logged_in 5 ehlo=a" },
	{ "gap_over_the_data_command_and_all_of_the_message", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK "354 go\r\n250 queued\r\n" },
		{ GAP_C, NULL }, { C, "NOOP\r\n" }, { S, "250 ok\r\n" } },
	    "greeting 2 ehlo=a" },
	{ "gap_behind_a_go_ahead_that_came_before_its_command", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK "354 go\r\n" }, { C, "DATA\r\n" },
		{ C, ".\r\n" }, { S, "250 ok\r\n" }, { GAP_C, NULL }, { C, "STARTTLS\r\n" },
		{ S, "220 go\r\n" }, { C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 3 ehlo=a" },
	{ "gap_over_a_command_before_one_that_is_refused", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { GAP_C, "NOOP\r\n" },
		{ S, "250 ok\r\n" }, { C, "STARTTLS\r\n" }, { S, "454 no\r\n" } },
	    "greeting asked refused 2 ehlo=a" },
	{ "gap_over_a_command_that_is_refused_before_one_that_is_granted", ANY_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { GAP_C, "VRFY b\r\n" },
		{ S, "502 no\r\n" }, { C, "STARTTLS\r\n" }, { S, "220 go\r\n" },
		{ C, SCRIPT_TLS } },
	    "greeting asked granted tls:C 2 ehlo=a" },
	{ "gap_in_a_chunk", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK },
		{ C, "BDAT 38 LAST\r\nSubject: x\r\n" }, { GAP_C, "lost\r\n" },
		{ C, "\x17"
		     "...\r\nEHLO b\r\nQUIT\r\nNOOP\r\n" },
		{ S, "250 ok\r\n250 ok\r\n" } },
	    "greeting 3 ehlo=a" },
	{ "gap_over_the_data_command", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { S, EHLO_OK }, { GAP_C, NULL },
		{ S, "354 go\r\n" }, { C, "Subject: x\r\nSTARTTLS\r\n.\r\n" },
		{ S, "250 queued\r\n" }, { C, "QUIT\r\n" } },
	    "greeting quit 1 ehlo=a" },
	{ "gap_in_the_servers_replies", IN_ORDER,
	    { { S, BANNER }, { C, "EHLO a\r\n" }, { GAP_S, NULL }, { S, "AUTH PLAIN\r\n" },
		{ C, "STARTTLS\r\n" }, { S, "454 no\r\n" }, { C, "NOOP\r\n" },
		{ S, "250 ok\r\n" } },
	    "greeting asked refused 3 ehlo=a" },
	{ "ftp_over_tls", IN_ORDER,
	    { { S, "220 FTP server\r\n" }, { C, "AUTH TLS\r\n" }, { S, "234 go\r\n" },
		{ C, SCRIPT_TLS }, { S, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 1 " },
	{ "ftp_server_alone", IN_ORDER, { { S, "220 FTP server\r\n234 go\r\n" } },
	    "greeting granted 1 " },
	{ "ftp_without_tls", IN_ORDER,
	    { { S, "220 FTP server\r\n" }, { C, "AUTH TLS\r\n" }, { S, "502 no\r\n" } },
	    "greeting asked refused 1 " },
	{ "nntp_over_tls", IN_ORDER,
	    { { S, "200 news server\r\n" }, { C, "STARTTLS\r\n" }, { S, "382 go\r\n" },
		{ C, SCRIPT_TLS }, { S, SCRIPT_TLS } },
	    "greeting asked granted tls:C tls:S 1 " },
	{ "nntp_quit_only", IN_ORDER,
	    { { S, "201 news server, no posting\r\n" }, { C, "QUIT\r\n" }, { S, "205 bye\r\n" } },
	    "greeting quit 0 " },
};

START_TEST(a_dialogue_tells_the_same_however_it_is_cut)
{
	script_check(&scripts[_i], PROTOCOL_SMTP);
}
END_TEST

/* Every prefix of a dialogue is a dialogue: none may crash, or claim more than the whole. */
START_TEST(no_prefix_knows_more_than_the_whole)
{
	static const char client[] = "EHLO a\r\nAUTH PLAIN AGEAYg==\r\nSTARTTLS\r\n";

	for (size_t len = 0; len < sizeof(client); len++) {
		struct mail_dialogue d;

		mail_dialogue_init(&d, PROTOCOL_SMTP);
		ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, span_from(client, len)), len);
		ck_assert_int_eq(
		    d.facts.login, len >= sizeof("EHLO a\r\nAUTH PLAIN AGEAYg==\r\n") - 1);
		ck_assert_int_eq(d.facts.starttls_asked, len >= sizeof(client) - 1);
		ck_assert(!d.facts.garbage);
	}
}
END_TEST

/* A reply was lost, which shows when the client has gone on and the server with it. */
START_TEST(reply_behind_a_hole_answers_what_was_said_behind_it)
{
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_SMTP);
	(void)mail_dialogue_feed(&d, MAIL_SERVER, BYTES("220 SMTP\r\n"));
	d.received = 10;
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("EHLO a\r\n"));
	d.received = 20;
	(void)mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("STARTTLS\r\n"));
	d.offset = 10;
	mail_dialogue_gap(&d, MAIL_SERVER, 10);
	d.offset = 20;
	(void)mail_dialogue_feed(&d, MAIL_SERVER, BYTES("454 no\r\n"));
	ck_assert(d.facts.starttls_refused);
}
END_TEST

START_TEST(sslv2_hello_counts_only_after_starttls)
{
	static const uint8_t hello[] = { 0x80, 0x2e, 0x01, 0x00, 0x02 };
	struct mail_dialogue d;

	mail_dialogue_init(&d, PROTOCOL_SMTP);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, span_from(hello, 5)), 5);
	ck_assert(d.facts.garbage);

	mail_dialogue_init(&d, PROTOCOL_SMTP);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("STARTTLS\r\n")), 10);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, span_from(hello, 5)), 0);
	ck_assert(!d.facts.garbage);

	mail_dialogue_init(&d, PROTOCOL_SMTP);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_SERVER, BYTES("220 SMTP\r\n")), 10);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("STARTTLS\r\n")), 10);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_SERVER, BYTES("454 no\r\n")), 8);
	ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, span_from(hello, 5)), 5);
}
END_TEST

START_TEST(each_record_type_starts_tls_and_its_neighbours_do_not)
{
	for (unsigned first = 0x10; first < 0x1a; first++) {
		uint8_t bytes[] = { (uint8_t)first, 3, 1 };
		struct mail_dialogue d;
		size_t taken = first >= 0x14 && first <= 0x16 ? 0 : 3;

		mail_dialogue_init(&d, PROTOCOL_SMTP);
		ck_assert_uint_eq(mail_dialogue_feed(&d, MAIL_CLIENT, span_from(bytes, 3)), taken);
		/* What has gone to TLS takes no more. */
		ck_assert_uint_eq(
		    mail_dialogue_feed(&d, MAIL_CLIENT, BYTES("\r\nNOOP\r\n")), taken == 0 ? 0 : 8);
	}
}
END_TEST

START_TEST(long_name_is_cut)
{
	char name[300 + 1], line[5 + 300 + 3];
	struct mail_dialogue d;

	for (size_t len = 126; len <= 300; len += len < 130 || len > 248 ? 1 : 118) {
		memset(name, 'x', len);
		name[len] = '\0';
		snprintf(line, sizeof(line), "EHLO %s\r\n", name);
		mail_dialogue_init(&d, PROTOCOL_SMTP);
		ck_assert_uint_eq(
		    mail_dialogue_feed(&d, MAIL_CLIENT, span_from(line, len + 7)), len + 7);
		ck_assert_uint_eq(d.facts.client_name_len,
		    len < MAIL_CLIENT_NAME_MAX ? len : MAIL_CLIENT_NAME_MAX);
		for (size_t i = 0; i < d.facts.client_name_len; i++)
			ck_assert_int_eq(d.client_name[i], 'x');
	}
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_dialogue_tells_the_same_however_it_is_cut, 0,
	    (int)(sizeof(scripts) / sizeof(scripts[0])));
	tcase_add_test(tc, no_prefix_knows_more_than_the_whole);
	tcase_add_test(tc, reply_behind_a_hole_answers_what_was_said_behind_it);
	tcase_add_test(tc, sslv2_hello_counts_only_after_starttls);
	tcase_add_test(tc, each_record_type_starts_tls_and_its_neighbours_do_not);
	tcase_add_test(tc, long_name_is_cut);
}

SUITE_MAIN("mail_smtp")
