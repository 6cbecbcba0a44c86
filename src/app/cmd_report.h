/*
 * cmd_report - `tlstally report`: SPEC section 2.
 */
#ifndef TLSTALLY_APP_CMD_REPORT_H
#define TLSTALLY_APP_CMD_REPORT_H

/* argv[0] is what messages begin with.  Returns the exit status. */
int cmd_report(int argc, char **argv);

#endif
