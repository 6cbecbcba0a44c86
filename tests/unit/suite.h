/*
 * suite - what every Check program of the project shares: its main, and helpers for byte literals.
 *
 * A file defines `static void add_tests(TCase *tc)` and ends with SUITE_MAIN("module_file").
 */
#ifndef TLSTALLY_TESTS_SUITE_H
#define TLSTALLY_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

#include "base/span.h"

/* The bytes of a string literal, without its NUL. */
#define BYTES(literal) span_from("" literal, sizeof(literal) - 1)

/* True where the memory of a process is not that of the program alone. */
#if defined(__has_feature)
#define SUITE_HAS_SANITIZER __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define SUITE_HAS_SANITIZER 1
#else
#define SUITE_HAS_SANITIZER 0
#endif

#define SUITE_MAIN(name)                                                                           \
	int main(void)                                                                             \
	{                                                                                          \
		Suite *suite = suite_create(name);                                                 \
		TCase *tc = tcase_create(name);                                                    \
		SRunner *runner;                                                                   \
		int failed;                                                                        \
                                                                                                   \
		tcase_set_timeout(tc, 120);                                                        \
		add_tests(tc);                                                                     \
		suite_add_tcase(suite, tc);                                                        \
		runner = srunner_create(suite);                                                    \
		srunner_run_all(runner, CK_ENV);                                                   \
		failed = srunner_ntests_failed(runner);                                            \
		srunner_free(runner);                                                              \
		return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                  \
	}

#endif
