#include "base/shared_names.h"

#include <stdio.h>
#include <string.h>

#include "suite.h"

#include "base/banned.h"

#define MANY 1000

static struct span
name_of(char text[32], unsigned number)
{
	(void)snprintf(text, 32, "mail%u.example", number);
	return span_from_text(text);
}

START_TEST(the_same_name_is_kept_once)
{
	struct shared_names *names = shared_names_new();
	struct shared_name *a = shared_name_take(names, BYTES("mail.example"));
	struct shared_name *b = shared_name_take(names, BYTES("mail.example"));
	struct shared_name *c = shared_name_take(names, BYTES("mail.exampl"));

	ck_assert_ptr_eq(a, b);
	ck_assert_ptr_ne(a, c);
	shared_name_give_back(names, a);
	ck_assert(span_equals(shared_name_span(b), BYTES("mail.example")));
	ck_assert(span_equals(shared_name_span(c), BYTES("mail.exampl")));
	shared_names_free(names);
}
END_TEST

START_TEST(no_name_is_held_as_none)
{
	struct shared_names *names = shared_names_new();

	ck_assert_ptr_null(shared_name_take(names, (struct span){ 0 }));
	ck_assert_uint_eq(shared_name_span(NULL).len, 0);
	shared_name_give_back(names, NULL);
	shared_names_free(names);
}
END_TEST

START_TEST(many_names_stay_apart)
{
	static struct shared_name *held[MANY];
	struct shared_names *names = shared_names_new();
	char text[32];

	for (unsigned i = 0; i < MANY; i++)
		held[i] = shared_name_take(names, name_of(text, i));
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert(span_equals(shared_name_span(held[i]), name_of(text, i)));
		ck_assert_ptr_eq(shared_name_take(names, name_of(text, i)), held[i]);
		shared_name_give_back(names, held[i]);
	}
	for (unsigned i = 0; i < MANY; i += 2)
		shared_name_give_back(names, held[i]);
	for (unsigned i = 1; i < MANY; i += 2)
		ck_assert_ptr_eq(shared_name_take(names, name_of(text, i)), held[i]);
	shared_names_free(names);
}
END_TEST

START_TEST(a_name_takes_memory_as_long_as_it_is_held)
{
	struct shared_names *names = shared_names_new();
	size_t none = shared_names_bytes(names), one;
	struct shared_name *a = shared_name_take(names, BYTES("mail.example"));

	one = shared_names_bytes(names);
	ck_assert_uint_ge(one, none + strlen("mail.example"));
	shared_name_hold(a);
	ck_assert_uint_eq(shared_names_bytes(names), one);
	shared_name_give_back(names, a);
	ck_assert(span_equals(shared_name_span(a), BYTES("mail.example")));
	shared_name_give_back(names, a);
	ck_assert_uint_eq(shared_names_bytes(names), none);
	shared_names_free(names);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, the_same_name_is_kept_once);
	tcase_add_test(tc, no_name_is_held_as_none);
	tcase_add_test(tc, a_name_takes_memory_as_long_as_it_is_held);
	tcase_add_test(tc, many_names_stay_apart);
}

SUITE_MAIN("base_shared_names")
