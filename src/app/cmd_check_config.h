/*
 * cmd_check_config - `tlstally check-config`: SPEC section 2.
 */
#ifndef TLSTALLY_APP_CMD_CHECK_CONFIG_H
#define TLSTALLY_APP_CMD_CHECK_CONFIG_H

/* argv[0] is what messages begin with.  Returns the exit status. */
int cmd_check_config(int argc, char **argv);

#endif
