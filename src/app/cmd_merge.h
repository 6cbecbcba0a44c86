/*
 * cmd_merge - `tlstally merge`.
 */
#ifndef TLSTALLY_APP_CMD_MERGE_H
#define TLSTALLY_APP_CMD_MERGE_H

int cmd_merge(int argc, char **argv);

#endif
