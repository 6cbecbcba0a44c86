#include "app/known_captures.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "store_fixture.h"
#include "suite.h"

#include "base/banned.h"

#define A_WHILE_US 50000

/* A thread that asks, and what it was told. */
struct asking {
	struct known_captures *known;
	bool is_known;
	atomic_bool answered;
};

static void *
ask(void *arg)
{
	struct asking *a = arg;
	const struct saved_file file = { 0 };
	struct saved_identity identity;

	a->is_known = known_captures_ask(a->known, &file, 1, 0, &identity);
	atomic_store(&a->answered, true);
	return NULL;
}

/* SQLite takes no second caller of one connection: it would crash, or never return. */
START_TEST(who_asks_waits_while_another_thread_is_at_the_store)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct store *s = open_store(STORE_WRITE);
	struct known_captures known = { .store = s, .lock = &lock };
	struct asking asking = { .known = &known };
	pthread_t thread;

	(void)pthread_mutex_lock(&lock);
	ck_assert_int_eq(pthread_create(&thread, NULL, ask, &asking), 0);
	(void)usleep(A_WHILE_US);
	ck_assert(!atomic_load(&asking.answered));
	(void)pthread_mutex_unlock(&lock);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(!asking.is_known);
	/* Its own lock is gone, too. */
	ck_assert_int_eq(pthread_mutex_trylock(&lock), 0);
	known_captures_release(&known);
	store_close(s);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, who_asks_waits_while_another_thread_is_at_the_store);
}

SUITE_MAIN("app_known_captures")
