/*
 * batch_writer - takes full batches to their tables in a thread of its own, while the next rows are
 * made.
 *
 * What is written, and the error where that fails, is the same as without.
 *
 * Memory:  BATCH_WRITER_SLOTS batches more.
 * Threads: the thread has the store's connection and its statements from batch_writer_give until
 *          batch_writer_wait has returned; the functions here are for one other.
 */
#ifndef TLSTALLY_STORE_BATCH_WRITER_H
#define TLSTALLY_STORE_BATCH_WRITER_H

#include "store/store_internal.h"

/* The thread begins when half of them are full: to wake it costs as much as to write a few rows. */
#define BATCH_WRITER_SLOTS 16

struct batch_writer; /* opaque */

/* The store is borrowed until batch_writer_stop.  NULL: there is no thread to be had. */
struct batch_writer *batch_writer_start(struct store *s);
/* What was not written yet is dropped; NULL is fine. */
void batch_writer_stop(struct batch_writer *w);
/* Takes the batch's rows, and leaves it empty.  -1: those of an earlier one were not written. */
int batch_writer_give(struct batch_writer *w, enum store_batch_of which, struct store_batch *batch,
    struct error *err);
/* Until all is written: the connection is the caller's then. */
int batch_writer_wait(struct batch_writer *w, struct error *err);

#endif
