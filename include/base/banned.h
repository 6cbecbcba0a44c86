/*
 * banned - functions that the house does not use, as compile errors.
 *
 * Included last by every .c file.
 */
#ifndef TLSTALLY_BASE_BANNED_H
#define TLSTALLY_BASE_BANNED_H

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol gets gmtime localtime ctime     \
    asctime
#pragma GCC poison strncpy strncat

#endif
