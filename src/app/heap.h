/*
 * heap - what the C library should know of how this program uses memory; only glibc listens.
 */
#ifndef TLSTALLY_APP_HEAP_H
#define TLSTALLY_APP_HEAP_H

/*
 * Tables that double, and give their memory back, leave holes that nothing fits in where glibc puts
 * them on the heap, as it does with ever larger ones by itself.  And what is mapped for a table
 * that begins as zeros, as the eight SYN caches of a replay do, is no memory before it is written
 * to.
 */
void heap_keep_large_tables_off(void);
/*
 * One heap for all threads, before they start.  The daemon's hand on what they allocate, and wait
 * for each other's heap hardly ever; one of its own, which glibc gives each, grows page by page,
 * with a system call for each.
 */
void heap_share(void);
/* What is free goes back to the system, also from between what is not. */
void heap_give_back(void);

#endif
