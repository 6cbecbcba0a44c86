/*
 * options - what getopt_long(3) returns for the options that have no letter.
 *
 * A letter means the same option in every command that has it (tools/check-manual): an option that
 * would take another one's has none.
 */
#ifndef TLSTALLY_APP_OPTIONS_H
#define TLSTALLY_APP_OPTIONS_H

enum {
	OPTION_AGAIN = 1000, /* behind every letter */
	OPTION_EVENTS_AS,
	OPTION_FAIL_ON,
	OPTION_FLUSH_INTERVAL,
	OPTION_FROM,
	OPTION_INTERNAL,
	OPTION_LOGINS,
	OPTION_LOGIN_FACTOR,
	OPTION_LOGIN_NAMES,
	OPTION_LOGIN_SESSIONS,
	OPTION_NO_NAMES,
	OPTION_RESOLVE,
	OPTION_RESOLVER,
	OPTION_SENSOR,
	OPTION_SERVICES_FILE,
	OPTION_SNAP_LENGTH,
	OPTION_TO,
	OPTION_TUNNELS,
	OPTION_USER,
	OPTION_VXLAN_PORT,
	OPTION_WHAT_IF,
	OPTION_WHAT_IF_CIPHERS
};

#endif
