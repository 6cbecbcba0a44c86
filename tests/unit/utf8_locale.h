/*
 * utf8_locale - a locale whose text is UTF-8, for suites of what is printed.
 */
#ifndef TLSTALLY_TESTS_UTF8_LOCALE_H
#define TLSTALLY_TESTS_UTF8_LOCALE_H

#include <locale.h>

#include "suite.h"

/* Whether there is a locale to test what goes beyond ASCII with. */
static inline bool
set_utf8_locale(void)
{
	return setlocale(LC_CTYPE, "C.UTF-8") != NULL || setlocale(LC_CTYPE, "en_US.UTF-8") != NULL;
}

#endif
