/*
 * what_if_options - `report --what-if VERSION` and `--what-if-ciphers FILE`.
 */
#ifndef TLSTALLY_APP_WHAT_IF_OPTIONS_H
#define TLSTALLY_APP_WHAT_IF_OPTIONS_H

#include "policy/what_if.h"

/* Both return -1 after they have logged what is wrong. */
int what_if_options_set_version(struct what_if *question, const char *text);
int what_if_options_read_ciphers(struct what_if *question, const char *path);

#endif
