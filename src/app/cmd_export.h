/*
 * cmd_export - `tlstally export`.
 */
#ifndef TLSTALLY_APP_CMD_EXPORT_H
#define TLSTALLY_APP_CMD_EXPORT_H

int cmd_export(int argc, char **argv);

#endif
