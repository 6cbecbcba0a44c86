/*
 * cmd_diff - `tlstally diff`.
 */
#ifndef TLSTALLY_APP_CMD_DIFF_H
#define TLSTALLY_APP_CMD_DIFF_H

int cmd_diff(int argc, char **argv);

#endif
