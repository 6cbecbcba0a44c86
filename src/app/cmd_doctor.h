/*
 * cmd_doctor - `tlstally doctor`: what is wrong with the feed, and what to change.
 */
#ifndef TLSTALLY_APP_CMD_DOCTOR_H
#define TLSTALLY_APP_CMD_DOCTOR_H

/* argv[0] is the command's name.  Returns the exit status. */
int cmd_doctor(int argc, char **argv);

#endif
